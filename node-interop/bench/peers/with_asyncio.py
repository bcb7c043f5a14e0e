"""The asyncio front end as an end of a benchmark pair, in asyncio's loop or uvloop's; it takes the orders of peer.cjs."""

import asyncio
import socket
import time

import nodechannel.asyncio as nodechannel
from orders import Job, counts, report

job = Job()
payload = job.payload
server = socket.socket()
accepted = []


async def produce(channel, count):
    if job.batch > 1:
        for messages, times in job.batches(count):
            for _ in range(times):
                await channel.send_many(messages)
        return
    for _ in range(count):
        await channel.send(payload)


async def consume(channel, count):
    if job.batch > 1:
        while count:
            for _ in await channel.receive_many():
                count -= 1
        return
    async for _ in channel:
        count -= 1
        if not count:
            return
    raise EOFError


async def echo(channel, count):
    async for message in channel:
        await channel.send(message.data)
        count -= 1
        if not count:
            return


async def ping(channel, count):
    for _ in range(count):
        await channel.send(payload)
        await channel.receive()


async def take_handles(channel, count):
    async for message in channel:
        message.handle.socket().close()
        count -= 1
        if not count:
            return


async def give_handles(channel, count):
    for _ in range(count):
        await channel.send(0, handle=accepted.pop() if accepted else server)


CHILD = {"up": produce, "down": consume, "echo": echo, "server": take_handles, "socket": take_handles}
PARENT = {"up": consume, "down": produce, "echo": ping, "server": give_handles, "socket": give_handles}


async def child():
    async with await nodechannel.connect() as channel:
        await channel.send("ready")
        async for order in channel:
            await CHILD[job.kind](channel, order.data)
            if job.answered:
                await channel.send("all")


async def parent():
    with server:
        server.bind(("127.0.0.1", 0))
        server.listen(4096)
        async with await nodechannel.spawn(job.child, serialization=job.serialization) as channel:
            await channel.receive()
            report(pid=channel.pid, port=server.getsockname()[1])
            for count in counts():  # waits in the loop's thread: between orders the loop has no work
                if job.kind == "socket":
                    accepted.extend(server.accept()[0] for _ in range(count))
                began = time.perf_counter()
                await channel.send(count)
                await PARENT[job.kind](channel, count)
                if job.answered:
                    await channel.receive()
                report(seconds=time.perf_counter() - began)


async def start_many():
    report(pid=0)
    for count in counts():
        seconds = 0.0
        for _ in range(count):
            began = time.perf_counter()
            async with await nodechannel.spawn(job.child, serialization=job.serialization) as channel:
                await channel.receive()
                seconds += time.perf_counter() - began
        report(seconds=seconds)


def main():
    loop_factory = None
    if job.asked["uvloop"]:
        import uvloop

        loop_factory = uvloop.new_event_loop
    role = child if job.role == "child" else start_many if job.kind == "start" else parent
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(role())


main()
