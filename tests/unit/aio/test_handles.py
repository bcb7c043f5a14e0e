"""Received handles as objects of asyncio, over real sockets."""

from __future__ import annotations

import asyncio
import socket

import pytest

from nodechannel._aio.handles import create_datagram_endpoint, open_connection, start_server
from nodechannel._handles.received import ReceivedHandle
from nodechannel._handles.types import HandleType
from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import HandleMismatch, HandleTaken


def received(sock: socket.socket, type_: HandleType) -> ReceivedHandle:
    """Return a handle as it arrives: non-blocking, and owned by nobody else."""
    sock.setblocking(False)
    return ReceivedHandle(type_, OwnedFd(sock.detach()))


def test_a_server_serves():
    async def scenario() -> None:
        sock = socket.create_server(("127.0.0.1", 0))
        address = sock.getsockname()
        handle = received(sock, HandleType.NET_SERVER)

        async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"hello")
            writer.close()

        async with await start_server(handle, serve):
            reader, writer = await asyncio.open_connection(*address)
            assert await asyncio.wait_for(reader.read(), 20) == b"hello"
            writer.close()
        with pytest.raises(HandleTaken):
            await start_server(handle, serve)

    asyncio.run(scenario())


def test_a_connection_is_read_and_written():
    async def scenario() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await open_connection(received(ours, HandleType.NET_SOCKET), limit=100)
            theirs.sendall(b"line\n")
            assert await asyncio.wait_for(reader.readline(), 20) == b"line\n"
            writer.write(b"x")
            await writer.drain()
            assert theirs.recv(10) == b"x"
            writer.close()
            await writer.wait_closed()

    asyncio.run(scenario())


def test_datagrams_reach_a_protocol():
    async def scenario() -> None:
        arrived: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        class Protocol(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, _address: object) -> None:
                arrived.set_result(data)

        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        address = sock.getsockname()
        transport, protocol = await create_datagram_endpoint(
            received(sock, HandleType.DGRAM_SOCKET), Protocol
        )
        assert isinstance(protocol, Protocol)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", address)
        assert await asyncio.wait_for(arrived, 20) == b"x"
        transport.close()

    asyncio.run(scenario())


def test_a_handle_that_is_not_what_its_type_says_is_closed():
    async def scenario() -> None:
        handle = received(socket.create_server(("127.0.0.1", 0)), HandleType.NET_SOCKET)
        with pytest.raises(HandleMismatch):
            await open_connection(handle)
        with pytest.raises(HandleTaken):
            handle.fileno()

    asyncio.run(scenario())
