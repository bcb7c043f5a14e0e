"""The server of an asyncio worker, over a socket that the workers share."""

from __future__ import annotations

import asyncio
import socket

import pytest

from nodechannel._cluster.aioserver import Server
from nodechannel._cluster.messages import Query
from nodechannel._cluster.worker import ServerLink


def run(function, factory):
    """Run a coroutine function with a server and its port; return the errors that reached the exception handler."""
    found = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: found.append(context))
        sock = socket.create_server(("127.0.0.1", 0))
        sock.setblocking(False)
        server = Server(ServerLink(Query("127.0.0.1", 0, 4)), sock, factory, lambda link: None, None)
        try:
            await asyncio.wait_for(function(server, server.getsockname()[1]), 30)
        finally:
            server.close()
            server.abort_clients()
            await server.wait_closed()

    asyncio.run(main())
    return found


async def ask(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"x")
    data = await reader.read()
    writer.close()
    return data


@pytest.mark.parametrize("error", [ValueError("mine"), RecursionError(), StopIteration()])
def test_a_factory_that_raises_is_reported_and_the_next_connection_is_served(error):
    class Echo(asyncio.Protocol):
        def connection_made(self, transport):
            transport.write(b"served")
            transport.close()

    calls = []

    def factory():
        calls.append(1)
        if len(calls) == 1:
            raise error
        return Echo()

    async def main(server, port):
        assert await ask(port) == b""
        assert await ask(port) == b"served"

    found = run(main, factory)
    assert len(found) == 1


def test_closing_waits_for_the_connections():
    async def main(server, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        while server.connections == 0:
            await asyncio.sleep(0.01)
        server.close()
        waiting = asyncio.create_task(server.wait_closed())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        writer.close()
        await waiting
        assert server.sockets == ()
        assert not server.is_serving()

    assert run(main, asyncio.Protocol) == []


def test_connections_that_end_in_a_turn_wake_the_loop_once(monkeypatch):
    woken = []

    async def main(server, port):
        loop = asyncio.get_running_loop()
        writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(20)]
        while server.connections < 20 or None in server._connections.values():
            await asyncio.sleep(0.01)
        wake = loop.call_soon_threadsafe

        def count(*args, **words):
            woken.append(args)
            return wake(*args, **words)

        monkeypatch.setattr(loop, "call_soon_threadsafe", count)
        server.abort_clients()
        while server.connections:
            await asyncio.sleep(0.01)
        monkeypatch.undo()
        for writer in writers:
            writer.close()

    assert run(main, asyncio.Protocol) == []
    assert len(woken) == 1
