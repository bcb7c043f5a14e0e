"""Work within a single process, as a user would write it: both ends of its channels are here. `python alone.py NAME`.

Each line of standard input is an order. A number stands for so many operations, and the answer is their processor time in seconds.
`bytecodes` is answered with the bytecodes of `nodechannel` in each operation, `memory` with the bytes of each channel. A work that this
revision of `nodechannel` cannot do is answered with `absent` at once.
"""

import asyncio
import gc
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
import tracemalloc

WORKS = {}
PAYLOAD = "x" * 62
FRAME = b'"%s"\n' % PAYLOAD.encode()
OBJECT = {"id": 123456, "state": "done", "seconds": 1.25, "cached": True}
BATCH = 64
# A Buffer in advanced mode: what stands before the three bytes of its length, and the bytes before its first one.
HEAD = b"\xff\x0d\\\x00\x0a"
FRAME_HEAD = 12


def varint(value):
    """Return a length of three bytes."""
    return bytes([value & 127 | 128, value >> 7 & 127 | 128, value >> 14])


class Absent(Exception):
    """This revision cannot do the work."""


def work(name, *arguments):
    """Register a function that makes a `Work` of its arguments."""

    def register(function):
        WORKS[name] = lambda: function(*arguments)
        return function

    return register


class Work:
    """Operations that take their time in this thread.

    Attributes:
        least: how many of them are done together.
    """

    least = 1

    def do(self, count):
        raise NotImplementedError

    def cost(self, count):
        begin = time.process_time()
        self.do(count)
        return time.process_time() - begin

    def bytecodes(self):
        """Count what the package executes in one operation."""
        place = f"{os.sep}nodechannel{os.sep}"
        counted = 0

        def trace(frame, event, _argument):
            nonlocal counted
            if event == "opcode":
                counted += 1
            frame.f_trace_opcodes = place in frame.f_code.co_filename
            return trace

        count = 10 * self.least
        sys.settrace(trace)
        try:
            self.do(count)
        finally:
            sys.settrace(None)
        return counted / count

    def memory(self):
        return None


# The blocking front end.


class Sending(Work):
    """`send` to a peer that takes everything."""

    least = BATCH

    def __init__(self, message, **options):
        import nodechannel

        ours, self._theirs = socket.socketpair()
        self._channel = nodechannel.Channel(ours, **options)
        self._message = message

    def do(self, count):
        for _ in range(count // BATCH):
            for _ in range(BATCH):
                self._channel.send(self._message)
            self._theirs.recv(1 << 20)


class Receiving(Work):
    """`receive` of frames, each of which came alone."""

    def __init__(self, frame):
        import nodechannel

        ours, self._theirs = socket.socketpair()
        self._channel = nodechannel.Channel(ours)
        self._frame = frame

    def do(self, count):
        for _ in range(count):
            self._theirs.send(self._frame)
            self._channel.receive()


class RoundTrips(Work):
    """`send` and `receive` at both ends of a channel."""

    def __init__(self, message, serialization):
        import nodechannel

        self._ends = [nodechannel.Channel(one, serialization=serialization) for one in socket.socketpair()]
        self._message = message

    def do(self, count):
        near, far = self._ends
        for _ in range(count):
            near.send(self._message)
            far.send(far.receive().data)
            near.receive()


class Batches(Work):
    """`send_many` and `receive_many`."""

    least = BATCH

    def __init__(self):
        import nodechannel

        self._near, self._far = (nodechannel.Channel(one) for one in socket.socketpair())
        self._messages = [OBJECT] * BATCH

    def do(self, count):
        for _ in range(count // BATCH):
            self._near.send_many(self._messages)
            left = BATCH
            while left:
                left -= len(self._far.receive_many())


class HandOvers(Work):
    """A listening socket from one end to the other, whose thread takes it."""

    def __init__(self):
        import nodechannel

        self._near, self._far = (nodechannel.Channel(one) for one in socket.socketpair())
        self._server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self):
        for message in self._far:
            message.handle.socket().close()

    def do(self, count):
        for _ in range(count):
            self._near.send(0, handle=self._server)


class LongReceiving(Work):
    """`receive` of bytes in advanced mode, which a thread sends over a bare socket."""

    def __init__(self, size):
        import nodechannel

        ours, self._theirs = socket.socketpair()
        self._channel = nodechannel.Channel(ours, serialization="advanced")
        self._frame = (size + FRAME_HEAD - 4).to_bytes(4, "big") + HEAD + varint(size) + bytes(size)

    def do(self, count):
        thread = threading.Thread(target=self._send, args=(count,))
        thread.start()
        for _ in range(count):
            self._channel.receive()
        thread.join()

    def _send(self, count):
        for _ in range(count):
            self._theirs.sendall(self._frame)


class LongSending(Work):
    """`send` of bytes in advanced mode, which a thread takes from a bare socket."""

    def __init__(self, size):
        import nodechannel

        ours, self._theirs = socket.socketpair()
        self._channel = nodechannel.Channel(ours, serialization="advanced")
        self._size = size
        self._message = bytes(size)

    def do(self, count):
        thread = threading.Thread(target=self._take, args=(count,))
        thread.start()
        for _ in range(count):
            self._channel.send(self._message)
        self._channel.flush()
        thread.join()

    def _take(self, count):
        buffer = bytearray(1 << 18)
        left = count * (self._size + FRAME_HEAD)
        while left:
            left -= self._theirs.recv_into(buffer, min(left, len(buffer)))


work("receive-64k-buffer", 1 << 16)(LongReceiving)
work("receive-1m-buffer", 1 << 20)(LongReceiving)
work("send-64k-buffer", 1 << 16)(LongSending)
work("send-1m-buffer", 1 << 20)(LongSending)
work("send", PAYLOAD)(Sending)
work("receive", FRAME)(Receiving)
work("round-trip", PAYLOAD, "json")(RoundTrips)
work("round-trip-object", OBJECT, "json")(RoundTrips)
work("round-trip-advanced", OBJECT, "advanced")(RoundTrips)
work("round-trip-64k", "x" * (1 << 16), "json")(RoundTrips)
work("batches")(Batches)
work("hand-overs")(HandOvers)


# Event loops.


class InLoop(Work):
    """Work in an event loop of its own."""

    def __init__(self, factory=None):
        self._loop = factory() if factory else asyncio.new_event_loop()

    def do(self, count):
        self._loop.run_until_complete(self.turn(count))

    async def turn(self, count):
        raise NotImplementedError


class Pairs(InLoop):
    """Round trips over many pairs at once, each of which begins the next one when the last is over."""

    def __init__(self, pairs, factory=None):
        super().__init__(factory)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        if limit < 2 * pairs + 100:
            raise Absent
        self.least = pairs
        sockets = [socket.socketpair() for _ in range(pairs)]
        for one in (end for pair in sockets for end in pair):
            one.setblocking(False)
        gc.collect()
        tracemalloc.start()
        self._loop.run_until_complete(self.open(sockets))
        gc.collect()
        self._bytes = tracemalloc.get_traced_memory()[0] / (2 * pairs)
        tracemalloc.stop()

    async def open(self, pairs):
        raise NotImplementedError

    def memory(self):
        return self._bytes


class Awaited(Pairs):
    """Channels with a task each that answers, and a task each that asks."""

    async def open(self, pairs):
        import nodechannel.asyncio

        self._near, far = ([nodechannel.asyncio.Channel(pair[side]) for pair in pairs] for side in (0, 1))
        self._tasks = [asyncio.ensure_future(self._answer(channel)) for channel in far]
        await asyncio.sleep(0)

    async def _answer(self, channel):
        async for message in channel:
            await channel.send(message.data)

    async def _ask(self, channel, count):
        for _ in range(count):
            await channel.send(PAYLOAD)
            await channel.receive()

    async def turn(self, count):
        await asyncio.gather(*(self._ask(channel, count // self.least) for channel in self._near))


class Counted(Pairs):
    """Ends that are called back: each asks as often as it is told."""

    async def turn(self, count):
        self._left = self.least
        self._done = self._loop.create_future()
        for start in self._starts:
            start(count // self.least)
        await self._done

    def ended(self):
        self._left -= 1
        if not self._left:
            self._done.set_result(None)


class Called(Counted):
    """Channels whose callbacks answer and ask."""

    async def open(self, pairs):
        import nodechannel.asyncio

        if not hasattr(nodechannel.asyncio.Channel, "listen"):
            raise Absent
        self._starts = [self._pair(*map(nodechannel.asyncio.Channel, pair)) for pair in pairs]

    def _pair(self, near, far):
        left = 0

        def start(count):
            nonlocal left
            left = count
            near.send_nowait(PAYLOAD)

        def answered(_message):
            nonlocal left
            left -= 1
            if left:
                near.send_nowait(PAYLOAD)
            else:
                self.ended()

        far.listen(lambda message: far.send_nowait(message.data))
        near.listen(answered)
        return start


class Bare(Counted):
    """A bare loop: `add_reader` and orjson, without errors, queues or handles."""

    async def open(self, pairs):
        self._starts = [self._pair(*pair) for pair in pairs]

    def _pair(self, near, far):
        import orjson

        dumps, loads = orjson.dumps, orjson.loads
        left = 0
        rest = b""

        def answer():
            nonlocal rest
            lines = (rest + far.recv(65536)).split(b"\n")
            rest = lines.pop()
            for line in lines:
                far.send(dumps(loads(line)) + b"\n")

        def start(count):
            nonlocal left
            left = count
            near.send(dumps(PAYLOAD) + b"\n")

        def answered():
            nonlocal left
            lines = near.recv(65536).split(b"\n")
            lines.pop()
            for line in lines:
                loads(line)
                left -= 1
                if left:
                    near.send(dumps(PAYLOAD) + b"\n")
                else:
                    self.ended()

        self._loop.add_reader(far, answer)
        self._loop.add_reader(near, answered)
        return start


def uvloop():
    try:
        import uvloop as module
    except ImportError:
        raise Absent from None
    return module.new_event_loop()


for pairs in (1, 10, 1000, 5000):
    for kind, cls in (("awaited", Awaited), ("called", Called), ("bare", Bare)):
        work(f"{kind}-{pairs}", pairs)(cls)
        work(f"{kind}-{pairs}-uvloop", pairs, uvloop)(cls)


class AsyncioHandOvers(InLoop):
    """A listening socket from one end to the other, both in one loop."""

    def __init__(self):
        super().__init__()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._loop.run_until_complete(self._open())

    async def _open(self):
        import nodechannel.asyncio

        self._near, self._far = map(nodechannel.asyncio.Channel, socket.socketpair())

    async def turn(self, count):
        for _ in range(count):
            await self._near.send(0, handle=self._server)
            (await self._far.receive()).handle.socket().close()


class Flood(InLoop):
    """`send` of one message after another, and a loop over those that arrive."""

    least = 256

    def __init__(self):
        super().__init__()
        self._loop.run_until_complete(self._open())

    async def _open(self):
        import nodechannel.asyncio

        self._near, self._far = map(nodechannel.asyncio.Channel, socket.socketpair())

    async def _send(self, count):
        for _ in range(count):
            await self._near.send(PAYLOAD)

    async def turn(self, count):
        sending = asyncio.ensure_future(self._send(count))
        for _ in range(count):
            await self._far.receive()
        await sending


work("asyncio-hand-overs")(AsyncioHandOvers)
work("asyncio-flood")(Flood)


# Whole processes.


class Import(Work):
    """The start of an interpreter that imports a module, and its end."""

    def __init__(self, module):
        self._code = f"import {module}"

    def do(self, count):
        for _ in range(count):
            subprocess.run([sys.executable, "-c", self._code], check=True)

    def cost(self, count):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.do(count)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def bytecodes(self):
        return None


work("import", "nodechannel")(Import)
work("import-asyncio", "nodechannel.asyncio")(Import)


def main():
    try:
        one = WORKS[sys.argv[1]]()
    except Absent:
        print('"absent"', flush=True)
        return
    print(json.dumps({"least": one.least, "memory": one.memory()}), flush=True)
    for line in sys.stdin:
        order = line.strip()
        print(json.dumps(one.bytecodes() if order == "bytecodes" else one.cost(int(order))), flush=True)


main()
