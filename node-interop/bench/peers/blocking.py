"""The blocking front end as an end of a benchmark pair; it takes the orders of peer.cjs."""

import socket
import time

import nodechannel
from orders import Job, counts, report

job = Job()
payload = job.payload
server = socket.socket()
accepted = []


def produce(channel, count):
    if job.batch > 1:
        for messages, times in job.batches(count):
            for _ in range(times):
                channel.send_many(messages)
        return
    for _ in range(count):
        channel.send(payload)


def consume(channel, count):
    if job.batch > 1:
        while count:
            for _ in channel.receive_many():
                count -= 1
        return
    for _ in channel:
        count -= 1
        if not count:
            return
    raise EOFError


def echo(channel, count):
    for message in channel:
        channel.send(message.data)
        count -= 1
        if not count:
            return


def ping(channel, count):
    for _ in range(count):
        channel.send(payload)
        channel.receive()


def take_handles(channel, count):
    for message in channel:
        message.handle.socket().close()
        count -= 1
        if not count:
            return


def give_handles(channel, count):
    for _ in range(count):
        channel.send(0, handle=accepted.pop() if accepted else server)


CHILD = {"up": produce, "down": consume, "echo": echo, "server": take_handles, "socket": take_handles}
PARENT = {"up": consume, "down": produce, "echo": ping, "server": give_handles, "socket": give_handles}


def child():
    with nodechannel.connect() as channel:
        channel.send("ready")
        for order in channel:
            CHILD[job.kind](channel, order.data)
            if job.answered:
                channel.send("all")


def parent():
    with server, nodechannel.spawn(job.child, serialization=job.serialization) as channel:
        channel.receive()
        server.bind(("127.0.0.1", 0))
        server.listen(4096)
        report(pid=channel.pid, port=server.getsockname()[1])
        for count in counts():
            if job.kind == "socket":
                accepted.extend(server.accept()[0] for _ in range(count))
            began = time.perf_counter()
            channel.send(count)
            PARENT[job.kind](channel, count)
            if job.answered:
                channel.receive()
            report(seconds=time.perf_counter() - began)


def start_many():
    report(pid=0)
    for count in counts():
        seconds = 0.0
        for _ in range(count):
            began = time.perf_counter()
            with nodechannel.spawn(job.child, serialization=job.serialization) as channel:
                channel.receive()
                seconds += time.perf_counter() - began
        report(seconds=seconds)


if job.role == "child":
    child()
elif job.kind == "start":
    start_many()
else:
    parent()
