"""Acts: a plan is made of a few, each some steps of a case that leave the channel as they found it, or end it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from fuzz import frames, texts
from fuzz.frames import Frame, Step
from fuzz.texts import STYLES, spell

if TYPE_CHECKING:
    from collections.abc import Iterable

ACK: Step = {"write": [{"message": {"cmd": "NODE_HANDLE_ACK"}}]}
NACK: Step = {"write": [{"message": {"cmd": "NODE_HANDLE_NACK"}}]}
EXPECT_ACK: Step = {"expect": {"frame": {"cmd": "NODE_HANDLE_ACK"}}}
EXPECT_NACK: Step = {"expect": {"frame": {"cmd": "NODE_HANDLE_NACK"}}}
EXPECT_EOF: Step = {"expect": {"eof": True}}
GONE: Step = {"expect": {"event": {"event": "disconnect"}}}
RARELY = st.sampled_from([False, False, False, True])
LENIENT = {
    "died": {"class": "lenient", "flag": "DiesOnBadInput"},
    "closed": {"class": "lenient", "flag": "ClosesOnBadInput"},
}


@dataclass(frozen=True)
class Act:
    """A part of a plan. Most fields are parts of the case that it becomes a part of."""

    kinds: frozenset[str]
    steps: tuple[Step, ...]
    rules: tuple[str, ...]
    needs: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    outcomes: dict[str, Any] = field(default_factory=dict)
    ending: tuple[str, ...] = ("clean",)
    roles: tuple[str, ...] = ("child", "parent")
    harsh: bool = False
    """Many peers die of the act."""
    last: bool = False
    """The act ends the channel."""
    quiet: bool = False
    """The act allows reports of errors, so that an act which waits for an error cannot be in the same plan."""


# ---- writes -----------------------------------------------------------------------------------------------


@st.composite
def places(draw: st.DrawFn, data: bytes, first: int = 1) -> list[int]:
    """The cuts of a write: none, at random, in characters and at line feeds, or before every byte of a short write."""
    if len(data) <= first:
        return []
    interesting = [
        at
        for at in range(first, len(data))
        if data[at] & 0xC0 == 0x80 or data[at - 1] == 10 or data[at] == 10
    ]
    chosen = st.integers(first, len(data) - 1)
    if interesting:
        chosen |= st.sampled_from(interesting[:200])
    found = draw(st.lists(chosen, max_size=6, unique=True))
    if len(found) == 6 and len(data) <= 60:
        return list(range(first, len(data)))
    return sorted(found)


@st.composite
def one_write(draw: st.DrawFn, /, drawn: list[Frame], **others: Any) -> Step:
    """Return the step that writes these frames in some pieces."""
    data = b"".join(frame.line + b"\n" for frame in drawn)
    step: Step = {"write": [chunk for frame in drawn for chunk in frame.written], **others}
    cut = draw(places(data))
    return {**step, "cut": cut} if cut else step


def of_frames(kinds: Iterable[str], steps: list[Step], drawn: list[Frame], **others: Any) -> Act:
    """Return the act of these steps, with all that its frames bring along."""
    values = frozenset(kind for frame in drawn for kind in frame.values)
    like = tuple(dict.fromkeys([case for frame in drawn for case in frame.like]))
    rules = tuple(rule for frame in drawn for rule in frame.rules)
    named = frozenset([*kinds, *(frame.kind for frame in drawn)]) | values
    return Act(
        named,
        tuple(steps),
        (*rules, *others.pop("rules", ())),
        like=(*like, *others.pop("like", ())),
        **others,
    )


HANDLES = {
    "net.Server": ("tcp-server", "unix-server"),
    "net.Socket": ("tcp-client", "unix-client"),
    "dgram.Socket": ("udp4",),
    "net.Native": ("tcp-client", "tcp-server"),
    "dgram.Native": ("udp4",),
}


def envelope(type_: str, message: Any, **others: Any) -> dict[str, Any]:
    """Return the envelope of a handle."""
    more = {"dgramType": "udp4"} if type_ == "dgram.Socket" else {}
    return {"cmd": "NODE_HANDLE", "type": type_, "msg": message, **more, **others}


@st.composite
def envelope_frame(draw: st.DrawFn, type_: str, message: Any) -> Frame:
    """An envelope, with unknown members, in some order and spelling."""
    extra: dict[str, Any] = draw(
        st.sampled_from([{}, {}, {"nativeKind": "tcp"}, {"future": [1, {"cmd": "NODE_x"}]}])
    )
    whole = envelope(type_, message, **extra)
    if type_ == "net.Socket" and draw(st.booleans()):
        whole["key"] = draw(st.sampled_from(["4:127.0.0.1:80", "é \u2028", "k"]))
    ordered = {name: whole[name] for name in draw(st.permutations(sorted(whole)))}
    line = spell(ordered, draw(STYLES)._replace(twice=False, numbers="plain")).encode()
    return Frame(
        "NODE_HANDLE",
        line,
        (),
        ("HND-038", "HND-034", "HND-031", "HND-040"),
        frames.likes(frozenset(texts.value_kinds(message)), line),
    )


@st.composite
def riding(draw: st.DrawFn, line: Frame, names: list[str], before: list[Frame]) -> list[Step]:
    """Write a frame with descriptors on a byte of it; further frames stand before it in the same write or in an own write."""
    start = sum(frame.size for frame in before)
    at = start + draw(st.sampled_from([0, 0, 0, line.size - 1]) | st.integers(0, line.size - 1))
    drawn = [*before, line]
    data = b"".join(frame.line + b"\n" for frame in drawn)
    step: Step = {
        "write": [chunk for frame in drawn for chunk in frame.written],
        "fd": names[0] if len(names) == 1 else names,
    }
    return [{**step, "at": at, "cut": draw(places(data))}]
