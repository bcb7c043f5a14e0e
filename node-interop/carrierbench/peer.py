"""An end of a carrier in Python: `peer.py CARRIER ROLE PLACE COUNT`. The receiver prints the messages a second behind the first."""

from __future__ import annotations

import asyncio
import json
import sys
import time

TEXT = "x" * 40
TURN = 500


class Meter:
    def __init__(self, count):
        self.count, self.seen, self.begin = count, 0, 0.0

    def note(self, took=1):
        if not self.seen:
            self.begin = time.perf_counter()
        self.seen += took
        if self.seen < self.count:
            return False
        print(round((self.seen - 1) / (time.perf_counter() - self.begin)), flush=True)
        return True


def messages(count):
    for first in range(0, count, TURN):
        yield [{"n": n, "text": TEXT} for n in range(first, min(first + TURN, count))]


async def stdio_receive(place, meter):
    from nodechannel.stdio.asyncio import spawn

    async with await spawn([*place.split(), "stdio", "send", "-", str(meter.count)]) as child:
        while not meter.note(len(await child.receive_many())):
            pass


async def stdio_send(place, meter):
    from nodechannel.stdio.asyncio import connect

    async with await connect() as channel:
        for many in messages(meter.count):
            await channel.send_many(many)


async def node_ipc_receive(place, meter):
    from nodechannel.nodeipc.asyncio import serve

    async with await serve(path=place) as server:
        print("ready", flush=True)
        while not meter.note(len(await server.receive_many())):
            pass


async def node_ipc_send(place, meter):
    from nodechannel.nodeipc.asyncio import connect

    async with await connect(path=place) as client:
        for many in messages(meter.count):
            await client.send_many(("bench", message) for message in many)


async def channel_receive(place, meter):
    from nodechannel.redis.asyncio import channels

    async with await channels(place, "bench") as found:
        print("ready", flush=True)
        while True:
            await found.receive()
            if meter.note():
                return


async def channel_send(place, meter):
    from nodechannel.redis.asyncio import channels

    async with await channels(place) as found:
        for many in messages(meter.count):
            await found.send_many("bench", many)


async def stream_receive(place, meter):
    from nodechannel.redis.asyncio import stream

    async with await stream(place, "bench") as found:
        print("ready", flush=True)
        while True:
            entries = await found.receive_many()
            await found.acknowledge(*entries)
            if meter.note(len(entries)):
                return


async def stream_send(place, meter):
    from nodechannel.redis.asyncio import stream

    async with await stream(place, "bench") as found:
        for many in messages(meter.count):
            await found.send_many(many)


async def rsmq_receive(place, meter):
    from nodechannel.rsmq.asyncio import queue

    async with await queue(place, "bench") as found:
        await found.create()
        print("ready", flush=True)
        while True:
            await found.pop()
            if meter.note():
                return


async def rsmq_send(place, meter):
    from nodechannel.rsmq.asyncio import queue

    async with await queue(place, "bench") as found:
        for many in messages(meter.count):
            for message in many:
                await found.send(json.dumps(message))


if __name__ == "__main__":
    carrier, role, place, count = sys.argv[1:]
    asyncio.run(globals()[f"{carrier.replace('-', '_')}_{role}"](place, Meter(int(count))))
