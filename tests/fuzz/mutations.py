"""Frames of advanced mode, broken at random: as many as a second allows, because each costs a few microseconds.

Hypothesis would shrink a finding, and is a thousand times slower; the frames are short already.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from nodechannel._advanced import fastread, read
from nodechannel._advanced.decode import decode
from nodechannel._advanced.encode import encode
from nodechannel.errors import InvalidFrame, InvalidMessage
from property.jsvalues import shape
from support.advanced import LENGTH, spec_frames

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = [bytes([0xFF, version]) for version in (13, 14, 15, 16)]
TAGS = b"_0TFIUNZ\"cSo{A$a@-;:',DRnszyx^B~V\\rm.?\x00\x01\x02\x03\x7f\x80\xff"
# Seconds of processor time that a frame of a few hundred bytes may take at most.
SLOWEST = 1.0


def broken(seed: int) -> Iterator[bytes]:
    """Yield frames without end: frames of the spec, parts of them in each other, and accidents."""
    source = random.Random(seed)
    good = [frame.body for frame in spec_frames()]
    while True:
        body = bytearray(source.choice(good))
        for _ in range(source.randint(1, 6)):
            at = source.randint(0, len(body))
            accident = source.randrange(5)
            if accident == 0:
                body[at : at + 1] = source.randbytes(1)
            elif accident == 1:
                body.insert(at, source.choice(TAGS))
            elif accident == 2:
                del body[at : at + source.randint(1, 3)]
            elif accident == 3:
                body[at:at] = source.choice(good)
            else:
                body[at:at] = body[source.randint(0, len(body)) :][:9]
        yield source.choice(HEADERS) + bytes(body)


def examine(frame: bytes) -> None:
    """Read a frame, and write its value: only a typed error may come, and both readers agree."""
    began = time.thread_time()
    try:
        value = decode(frame)
    except InvalidFrame:
        return
    finally:
        assert time.thread_time() - began < SLOWEST, frame.hex()
    try:
        fast = fastread.read(frame)
    except fastread.FAILURES:
        pass
    else:
        assert shape(fast) == shape(read.read(frame)), frame.hex()
    try:
        again = encode(value)
    except InvalidMessage:
        return  # a received value can be deeper than a value that may be sent
    assert shape(decode(again[LENGTH:])) == shape(value), frame.hex()
