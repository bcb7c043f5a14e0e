"""The asyncio front end of a worker, against a primary on strings."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from nodechannel._cluster.aioworker import Worker


def run(function):
    async def main():
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=theirs)
        worker = Worker(ours, 7)
        try:
            await asyncio.wait_for(function(worker, reader, writer), 30)
        finally:
            worker.close()
            writer.close()

    asyncio.run(main())


async def answer(reader, writer, **members):
    while (message := json.loads(await reader.readline())).get("act") != "queryServer":
        pass
    reply = {"cmd": "NODE_CLUSTER", "ack": message["seq"], "data": None, "key": "K", "seq": 0, **members}
    writer.write(json.dumps(reply).encode() + b"\n")


@pytest.mark.parametrize(
    "sockname", [None, 5, {}, {"port": 2**80}, {"port": "x", "address": 7}, {"port": True}]
)
def test_an_odd_address_of_the_primary_is_not_believed(sockname):
    async def main(worker, reader, writer):
        answering = asyncio.create_task(answer(reader, writer, errno=None, sockname=sockname))
        server = await worker.listen(8080, lambda *ends: None, "127.0.0.1")
        await answering
        assert server.getsockname()[1] == 8080

    run(main)


@pytest.mark.parametrize("given", [{}, {"client_connected_cb": print, "protocol_factory": asyncio.Protocol}])
def test_one_way_to_serve_is_needed(given):
    async def main(worker, reader, writer):
        with pytest.raises(ValueError, match="either"):
            await worker.listen(0, host="127.0.0.1", **given)

    run(main)


def test_messages_do_not_keep_connections_from_coming():
    """Reading goes on however many messages wait for `receive`."""

    async def main(worker, reader, writer):
        writer.write(b"1\n" * 5000 + b'{"cmd":"NODE_CLUSTER","act":"disconnect","seq":1}\n')
        await worker.wait_dismissed()
        assert (await worker.receive()).data == 1

    run(main)
