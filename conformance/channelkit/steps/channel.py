"""Steps of the kit's own end of the channel: writing, the speed of reading, and the close."""

import os
from typing import Any

from channelkit.process.session import Session
from channelkit.steps.kept import fill_value
from channelkit.steps.kinds import (
    COUNT,
    NAME,
    TRUE,
    Step,
    list_of,
    one_or_several,
    or_value,
    step,
    word_or_value,
)
from channelkit.steps.scene import CaseEnded, Scene, ended_outcome
from channelkit.steps.writes import cut, encode
from channelkit.wire.headers import BLOCK, header, stand_in
from channelkit.wire.segments import Cut, placed
from channelkit.wire.serialization import split
from channelkit.wire.values import show

_ONE_READ = 16384
"""Bytes that fit into the buffer of the channel while the subject does not read."""


@step(
    list_of({"$ref": "#/$defs/chunk"}),
    'The kit writes bytes to the subject. A chunk is a string (UTF-8), `{"hex": H}`, `{"message": V}` (the frame of V) or '
    '`{"repeat": S, "times": N}`. With `"fd": NAME` the descriptor comes with the last frame of the write; a list of names sends '
    "several descriptors. "
    '`"cut": [PLACE…]` cuts the write before these bytes. `"at": PLACE` names the byte that the descriptors come with. Both replace '
    "the segmentations",
    "[CHUNK…]",
    optional={
        "fd": one_or_several(NAME),
        "cut": {
            "description": "A further write begins before each of these bytes.",
            "type": "array",
            "items": COUNT,
        },
        "at": {"description": "The byte that the descriptors come with.", "type": "integer", "minimum": 0},
    },
    echo=True,
)
def write(scene: Scene, step: Step) -> None:
    """Writes each piece after the subject has read the piece before it, where the system shows that to the kit."""
    session = scene.session
    data = encode(session.serialization, fill_value(session.kept, step["write"]))
    pieces = cut(session.serialization, step, data, scene.variant)
    names = step.get("fd", [])
    descriptors = [scene.sockets.descriptor(name) for name in ([names] if isinstance(names, str) else names)]
    if _wants_one_read(pieces):
        with session.subject.stopped():
            _write_pieces(session, pieces, descriptors, patient=False)
    else:
        _write_pieces(session, pieces, descriptors, patient=True)
    _frames, scene.unfinished = split(session.serialization, scene.unfinished + data)


def _wants_one_read(pieces: Cut) -> bool:
    """Whether plain messages and a frame with a descriptor are to arrive in a single read, although each takes a write."""
    return len(pieces) > 1 and pieces[0].glued and sum(len(piece.data) for piece in pieces) < _ONE_READ


def _write_pieces(session: Session, pieces: Cut, descriptors: list[int], *, patient: bool) -> None:
    """Writes the pieces in order. ``patient``: each waits until the subject has read the piece before it."""
    for index, piece in enumerate(pieces):
        if index and patient:
            limits = session.limits
            patient = session.settle(limits.answer if session.channel.heard or index > 1 else limits.start)
        data = session.new_probe() + piece.data if piece.glued else piece.data
        if not session.write(data, descriptors if piece.descriptor else ()):
            raise CaseEnded("silent", "the subject stopped reading")


_WORD = or_value({"type": "integer", "minimum": 0, "maximum": (1 << 32) - 1})


_HEADER = or_value(
    {
        "type": "object",
        "required": ["flags"],
        "properties": {
            **dict.fromkeys(("flags", "length", "first", "second"), _WORD),
            "data": list_of({"$ref": "#/$defs/chunk"}),
            "fd": NAME,
            "block": word_or_value("zeros", "other"),
        },
        "additionalProperties": False,
    }
)


@step(
    or_value(list_of(_HEADER)),
    "The kit writes headers of the form of Windows, each with the chunks of its `data`: the `flags`, the `length` (that of the data), "
    "and the reserved words `first` and `second` (0). "
    'With `"fd": NAME` the socket stands before the data; `"block": "zeros"` puts zeros there, `"other"` makes the socket for another '
    'process. `"cut"` is that of `write`',
    '[{"flags": 1, "data": [CHUNK…]}…]',
    optional={"cut": or_value(list_of(COUNT))},
    echo=True,
)
def write_headers(scene: Scene, step: Step) -> None:
    """Writes headers, be they good or bad, with all that follows them."""
    session = scene.session
    parts = fill_value(session.kept, step["write_headers"])
    raw = b"".join(_framed(session, part) for part in parts)
    descriptors = [scene.sockets.descriptor(part["fd"]) for part in parts if "fd" in part]
    for index, piece in enumerate(placed(raw, step.get("cut", ()), None)):
        if index:
            session.settle(session.limits.answer if session.channel.heard else session.limits.start)
        if not session.write(piece.data, () if index else descriptors, raw=True):
            raise CaseEnded("silent", "the subject stopped reading")
    data = b"".join(encode(session.serialization, part.get("data", ())) for part in parts)
    _frames, scene.unfinished = split(session.serialization, scene.unfinished + data)
    if any("length" in part for part in parts):
        scene.unfinished = scene.unfinished or raw  # the subject waits for the rest


def _framed(session: Session, part: dict[str, Any]) -> bytes:
    """A header, the block of a socket, and data, as a step says them."""
    data = encode(session.serialization, part.get("data", ()))
    made_for = os.getpid() if part.get("block") == "other" else session.subject.pid
    block = bytes(BLOCK) if part.get("block") == "zeros" else stand_in(made_for)
    head = header(part["flags"], part.get("length", len(data)), part.get("first", 0), part.get("second", 0))
    return head + (block if "fd" in part else b"") + data


@step(
    {"type": "object", "required": ["cmd"]},
    "The kit writes this message with the `key` of the latest frame that had one. In an expected `frame`, `$key` stands for that key. "
    "The outcome is `no-key` when the subject wrote no key",
    '{"cmd": …}',
    outcomes=("no-key",),
)
def write_with_key(scene: Scene, step: Step) -> None:
    """Answers a question of the subject."""
    key = scene.session.latest_key
    if key is None:
        raise CaseEnded("no-key", "the subject wrote no key that an answer could repeat")
    scene.session.write(scene.session.serialization.frame({"key": key, **step["write_with_key"]}))


@step(
    TRUE,
    "The kit sends a probe message and waits until the subject has delivered it. A frame or an event that came before and that no step "
    "expected is the outcome `unexpected`",
    "true",
    echo=True,
)
def barrier(scene: Scene, _step: Step) -> None:
    """Proves that no frame and no event came before: the channel is ordered, and the probe came back."""
    session = scene.session
    if not session.write(session.new_probe()):
        raise CaseEnded("silent", "the subject stopped reading")
    session.await_start()
    channel = session.channel
    session.wait(lambda: not session.probes or session.exited or channel.eof, session.limits.answer)
    # An adapter's events may still be on their way when the channel is gone already.
    if session.probes and channel.eof and session.plan.driven:
        session.wait(lambda: not session.probes or session.exited, session.limits.grace)
    _no_surplus(session)
    if session.probes:
        raise CaseEnded(*ended_outcome(session, "the probe never came back"))


def _no_surplus(session: Session) -> None:
    """Raises :class:`CaseEnded` for a frame, an event or a descriptor that no step expected."""
    tail, descriptors = session.channel.tail, session.channel.descriptors
    if session.frames or session.answers:
        raise CaseEnded("unexpected", f"the subject wrote {(session.frames or session.answers)[0]}")
    if session.events:
        raise CaseEnded("unexpected", f"the adapter reported {show(session.events[0])}")
    if tail:
        raise CaseEnded("unexpected", f"the subject wrote {tail[:200]!r}, which is no complete frame")
    if descriptors:
        raise CaseEnded("unexpected", f"{len(descriptors)} descriptors came that no step expected")


@step(TRUE, "The kit closes its end of the channel", "true", ends=True, echo=True)
def close_channel(scene: Scene, _step: Step) -> None:
    """Closes the kit's end."""
    scene.session.close_channel()


@step(
    TRUE,
    "The kit half-closes its end: the subject sees the end of file and can still write",
    "true",
    ends=True,
    echo=True,
)
def half_close_channel(scene: Scene, _step: Step) -> None:
    """Half-closes the kit's end."""
    scene.session.shutdown_channel()


@step(
    {"type": ["integer", "null"], "minimum": 0},
    "From here on the kit reads N bytes at once; 0: none; null: all that wait",
    "N",
    outcomes=("misplaced-descriptor",),
    echo=True,
)
def read_size(scene: Scene, step: Step) -> None:
    """Makes the kit a slow reader, or a reader of normal speed again."""
    scene.session.channel.portion = step["read_size"]


@step(
    COUNT,
    "The kernel keeps no more than about N bytes that the kit wrote and the subject has not read",
    "N",
    echo=True,
)
def send_buffer(scene: Scene, step: Step) -> None:
    """Makes the channel narrow."""
    scene.session.channel.limit_buffer(step["send_buffer"])
