"""asyncio alone: received handles go on in asyncio's own servers, streams and endpoints."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

from nodechannel import asyncio as aio
from nodechannel import errors
from support.node import node

SOURCE = """
'use strict';
const dgram = require('dgram');
const net = require('net');
process.on('message', (what) => {
  if (what === 'server') {
    const server = net.createServer().listen(0, '127.0.0.1', () => process.send(server.address().port, server, () => server.close()));
  } else if (what === 'unix') {
    // Closing removes the path, so that Node does not take the connection itself; the second name stays.
    const server = net.createServer().listen(process.argv[2], () => {
      require('fs').linkSync(process.argv[2], process.argv[2] + '2');
      process.send(0, server, () => server.close());
    });
  } else if (what === 'socket') {
    net.createServer({ pauseOnConnect: true }, function (socket) { process.send(0, socket); this.close(); })
      .listen(0, '127.0.0.1', function () {
        net.connect(this.address().port, '127.0.0.1').on('data', (data) => process.send(String(data))).write('hello ');
      });
  } else {
    const udp = dgram.createSocket('udp4');
    udp.bind(0, '127.0.0.1', () => process.send(udp.address().port, udp, () => udp.close()));
  }
});
process.on('disconnect', () => process.exit(0));
"""


@pytest.fixture
def run(script, tmp_path):
    """Run a scenario with a Node child that hands over the sockets that it is asked for."""

    def start(scenario):
        async def main():
            path = script("child.cjs", SOURCE)
            async with await aio.fork(path, str(tmp_path / "socket"), exec_path=node()) as child:
                await asyncio.wait_for(scenario(child), 30)

        asyncio.run(main(), debug=True)

    return start


async def answer(reader, writer):
    writer.write((await reader.readline()).upper())
    writer.close()


@pytest.mark.parametrize("what", ["server", "unix"])
def test_a_server(run, tmp_path, what):
    async def scenario(child):
        await child.send(what)
        message = await child.receive()
        async with await aio.start_server(message.handle, answer):
            if what == "unix":
                reader, writer = await asyncio.open_unix_connection(tmp_path / "socket2")
            else:
                reader, writer = await asyncio.open_connection("127.0.0.1", message.data)
            writer.write(b"shout\n")
            assert await reader.read() == b"SHOUT\n"
            writer.close()
            await writer.wait_closed()
        with pytest.raises(errors.HandleTaken):
            await aio.start_server(message.handle, answer)

    run(scenario)


def test_a_connection(run):
    async def scenario(child):
        await child.send("socket")
        message = await child.receive()
        reader, writer = await aio.open_connection(message.handle)
        assert await reader.readexactly(6) == b"hello "
        writer.write(b"from python")
        assert (await child.receive()).data == "from python"
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    run(scenario)


def test_a_datagram_endpoint(run):
    class Protocol(asyncio.DatagramProtocol):
        def __init__(self):
            self.received = asyncio.get_running_loop().create_future()

        def datagram_received(self, data, addr):
            self.received.set_result(data)

    async def scenario(child):
        await child.send("udp")
        message = await child.receive()
        transport, protocol = await aio.create_datagram_endpoint(message.handle, Protocol)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"datagram", ("127.0.0.1", message.data))
        assert await protocol.received == b"datagram"
        transport.close()

    run(scenario)
