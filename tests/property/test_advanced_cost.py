"""Twice as much costs twice as much, for frames of every kind, those of a peer with bad intentions too."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from nodechannel._advanced.decode import decode
from nodechannel._advanced.encode import encode
from nodechannel._advanced.framing import FrameFramer
from nodechannel.errors import InvalidFrame
from support.cost import LIMIT, ratio

if TYPE_CHECKING:
    from collections.abc import Callable


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def bigint(value: int) -> bytes:
    return b"Z" + varint(16 << 1) + value.to_bytes(16, "little")


HASH_MODULUS = 2**61 - 1
FRAMES: dict[str, Callable[[int], bytes]] = {
    "nested arrays": lambda size: b"A\x01" * size + b"0" + b"$\x00\x01" * size,
    "arrays that are sparse in the end": lambda size: (
        b"".join(b"A\x03^" + varint(level) for level in range(size)) + b"0" + b"-$\x00\x03" * size
    ),
    "an array that ends wrong at each level": lambda size: b"A\x01" * size + b"0" + b"$\x00\x02" * size,
    "wide strings": lambda size: b"A" + varint(size) + b"c\x02ab" * size + b"$\x00" + varint(size),
    "padding": lambda size: b"\x00" * size * 10 + b"0",
    "BigInts of one hash as keys": lambda size: (
        b";"
        + b"".join(bigint(HASH_MODULUS * index) + b"T" for index in range(size))
        + b":"
        + varint(2 * size)
    ),
    "BigInts of one hash in a set": lambda size: (
        b"'" + b"".join(bigint(HASH_MODULUS * index) for index in range(size)) + b"," + varint(size)
    ),
    "one large BigInt": lambda size: b"Z" + varint(size * 80 << 1) + b"\xff" * size * 80,
    "names that are doubles": lambda size: (
        b"o"
        + b"".join(b"N" + index.to_bytes(6, "little") + b"\xf0\x3fT" for index in range(size))
        + b"{"
        + varint(size)
    ),
    "references": lambda size: b"A" + varint(size) + b"^\x00" * size + b"$\x00" + varint(size),
    "a sparse array": lambda size: (
        b"a\xff\xff\xff\xff\x0f"
        + b"".join(b"U" + varint(7 * index) + b"T" for index in range(size))
        + b"@"
        + varint(size)
        + b"\xff\xff\xff\xff\x0f"
    ),
}


def seconds(act: Callable[[], object]) -> float:
    began = time.thread_time()
    act()
    return time.thread_time() - began


def read(frame: bytes) -> object:
    try:
        return decode(frame)
    except InvalidFrame:
        return None


@pytest.mark.rule("ADV-063")
@pytest.mark.parametrize("kind", FRAMES)
def test_reading_is_linear(kind):
    small, large = (b"\xff\x0d" + FRAMES[kind](size) for size in (4000, 8000))
    assert ratio(lambda: seconds(lambda: read(small)), lambda: seconds(lambda: read(large)), 20) <= LIMIT


@pytest.mark.parametrize("value", ["\u20ac", {"a": "\u20ac"}, b"x", [1], "a"], ids=repr)
def test_writing_is_linear(value):
    few, many = (
        ([value] * 4000, [value] * 8000)
        if type(value) in (str, bytes)
        else ([value.copy() for _ in range(size)] for size in (4000, 8000))
    )
    assert ratio(lambda: seconds(lambda: encode(few)), lambda: seconds(lambda: encode(many)), 20) <= LIMIT


@pytest.mark.rule("ADV-063")
def test_a_long_frame_in_many_reads_is_linear():
    def feed(size: int) -> float:
        framer = FrameFramer()
        piece = bytes(65536)

        def act() -> None:
            framer.feed(size.to_bytes(4, "big") + b"\xff")
            for _ in range(size // 65536 + 1):
                framer.feed(piece)

        found = seconds(act)
        assert framer.buffered < 200_000
        return found

    assert ratio(lambda: feed(1 << 25), lambda: feed(1 << 26), 10) <= LIMIT


MEMORY = """
import asyncio, os, re, socket, sys
import nodechannel, nodechannel.asyncio

SIZE = 32 << 20

def status(name):
    with open("/proc/self/status") as text:
        return int(re.search(name + r":\\s+(\\d+) kB", text.read())[1]) << 10

def blocking(end, message):
    with nodechannel.Channel(end, serialization="advanced") as channel:
        if message is None:
            kept = channel.receive()
            channel.send(len(kept.data))
        else:
            channel.send(message)
            assert channel.receive().data == SIZE

def in_loop(end, message):
    async def run():
        channel = nodechannel.asyncio.Channel(end, serialization="advanced")
        if message is None:
            kept = await channel.receive()
            await channel.send(len(kept.data))
            await channel.flush()
        else:
            await channel.send(message)
            assert (await channel.receive()).data == SIZE
        channel.close()

    asyncio.run(run())

work = blocking if sys.argv[1] == "blocking" else in_loop
near, far = socket.socketpair()
message = b"x" * SIZE
if os.fork():
    far.close()
    mine = near
else:
    near.close()
    mine = far
    message = None
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
before = status("VmRSS")
work(mine, message)
# A single write: both processes share the pipe.
os.write(1, b"%f\\n" % ((status("VmHWM") - before) / SIZE + (message is not None)))
if message is not None:
    os.wait()
"""


@pytest.mark.parametrize("front_end", ["blocking", "asyncio"])
def test_a_long_buffer_takes_three_times_its_bytes_at_most(front_end):
    """At either end, the message of the sender included."""
    run = subprocess.run(
        [sys.executable, "-c", MEMORY, front_end], capture_output=True, text=True, timeout=60, check=True
    )
    peaks = [float(line) for line in run.stdout.split()]
    assert len(peaks) == 2
    assert 1 < max(peaks) <= 3
