"""What a plan is made of: acts, each a few steps of a case that leave the channel as they found it, or end it.

An act of a peer that dies of bad input, which is nearly everyone but the reference, is the last of its plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from fuzz import frames, texts
from fuzz.frames import ERROR, Frame, Step, delivered
from fuzz.texts import STYLES, VALUES, spell, tagged

if TYPE_CHECKING:
    from collections.abc import Iterable

ACK: Step = {"write": [{"json": {"cmd": "NODE_HANDLE_ACK"}}]}
NACK: Step = {"write": [{"json": {"cmd": "NODE_HANDLE_NACK"}}]}
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
    """Many a peer dies of it."""
    last: bool = False
    """It ends the channel."""
    quiet: bool = False
    """It allows errors to be reported, so that an act which waits for one cannot be in the same plan."""


# ---- writes -----------------------------------------------------------------------------------------------


@st.composite
def places(draw: st.DrawFn, data: bytes, first: int = 1) -> list[int]:
    """Where to cut a write: nowhere, anywhere, in characters and at line feeds, or before every byte of a short one."""
    if len(data) <= first:
        return []
    interesting = [at for at in range(first, len(data)) if data[at] & 0xC0 == 0x80 or data[at - 1] == 10 or data[at] == 10]
    chosen = st.integers(first, len(data) - 1)
    if interesting:
        chosen |= st.sampled_from(interesting[:200])
    found = draw(st.lists(chosen, max_size=6, unique=True))
    if len(found) == 6 and len(data) <= 60:
        return list(range(first, len(data)))
    return sorted(found)


@st.composite
def one_write(draw: st.DrawFn, drawn: list[Frame], **others: Any) -> Step:
    """Return the step that writes these frames in some pieces."""
    data = b"".join(frame.line + b"\n" for frame in drawn)
    step: Step = {"write": [chunk for frame in drawn for chunk in frame.written], **others}
    cut = draw(places(data))
    return {**step, "cut": cut} if cut else step


def _of_frames(kinds: Iterable[str], steps: list[Step], drawn: list[Frame], **others: Any) -> Act:
    values = frozenset(kind for frame in drawn for kind in frame.values)
    like = tuple(dict.fromkeys([case for frame in drawn for case in frame.like]))
    rules = tuple(rule for frame in drawn for rule in frame.rules)
    named = frozenset([*kinds, *(frame.kind for frame in drawn)]) | values
    return Act(named, tuple(steps), (*rules, *others.pop("rules", ())), like=(*like, *others.pop("like", ())), **others)


@st.composite
def messages(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """Several good frames in one write."""
    drawn = draw(st.lists(frames.good(avoid), min_size=1, max_size=5))
    steps = [draw(one_write(drawn)), *(step for frame in drawn for step in frame.expect)]
    return _of_frames(["messages"], steps, drawn)


@st.composite
def bad_input(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """Bad frames between good ones in one write."""
    lists = st.lists(frames.good(avoid).filter(lambda frame: frame.size < 1000), max_size=2)
    bad = frames.BAD.filter(lambda frame: frames.allowed(frame, avoid))
    drawn = [*draw(lists), draw(bad), *draw(lists)]
    steps = [draw(one_write(drawn)), *(step for frame in drawn for step in frame.expect)]
    return _of_frames(
        ["bad input"], steps, drawn, outcomes=LENIENT, ending=("clean", "closed", "died"), harsh=True
    )


# ---- handles to the peer ----------------------------------------------------------------------------------

HANDLES = {
    "net.Server": ("tcp-server", "unix-server"),
    "net.Socket": ("tcp-client", "unix-client"),
    "dgram.Socket": ("udp4",),
    "net.Native": ("tcp-client", "tcp-server"),
    "dgram.Native": ("udp4",),
}
_LIKE = {
    "tcp-server": "hnd-receive-server",
    "unix-server": "hnd-receive-unix-server",
    "tcp-client": "hnd-receive-socket",
    "unix-client": "hnd-receive-unix-socket",
    "udp4": "hnd-receive-udp",
}


def envelope(type_: str, message: Any, **others: Any) -> dict[str, Any]:
    """Return the envelope of a handle."""
    more = {"dgramType": "udp4"} if type_ == "dgram.Socket" else {}
    return {"cmd": "NODE_HANDLE", "type": type_, "msg": message, **more, **others}


@st.composite
def envelope_frame(draw: st.DrawFn, type_: str, message: Any) -> Frame:
    """An envelope, with members that nobody knows, in some order and spelling."""
    extra = draw(st.sampled_from([{}, {}, {"nativeKind": "tcp"}, {"future": [1, {"cmd": "NODE_x"}]}]))
    whole = envelope(type_, message, **extra)
    if type_ == "net.Socket" and draw(st.booleans()):
        whole["key"] = draw(st.sampled_from(["4:127.0.0.1:80", "é \u2028", "k"]))
    ordered = {name: whole[name] for name in draw(st.permutations(sorted(whole)))}
    line = spell(ordered, draw(STYLES)._replace(twice=False, numbers="plain")).encode()
    return Frame("NODE_HANDLE", line, (), ("HND-038", "HND-034", "HND-031", "HND-040"), frames.likes(frozenset(texts.value_kinds(message)), line))


@st.composite
def riding(draw: st.DrawFn, line: Frame, names: list[str], before: list[Frame]) -> list[Step]:
    """Write a frame with descriptors on one of its bytes, other frames before it in the same write or in one of their own."""
    start = sum(frame.size for frame in before)
    at = start + draw(st.sampled_from([0, 0, 0, line.size - 1]) | st.integers(0, line.size - 1))
    drawn = [*before, line]
    data = b"".join(frame.line + b"\n" for frame in drawn)
    step: Step = {"write": [chunk for frame in drawn for chunk in frame.written], "fd": names[0] if len(names) == 1 else names}
    return [{**step, "at": at, "cut": draw(places(data))}]


@st.composite
def receive(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """A handle arrives, is used and closed."""
    choices = [(type_, kind) for type_, kinds in HANDLES.items() for kind in kinds]
    choices = [(type_, kind) for type_, kind in choices if not avoid & set(_likes_of(type_, kind))]
    if not choices:
        return draw(messages(number, avoid))
    type_, kind = draw(st.sampled_from(choices))
    name = f"s{number}"
    message = draw(VALUES.filter(lambda value: not texts.is_internal(value)))
    line = draw(envelope_frame(type_, message))
    before = draw(st.lists(frames.good(avoid).filter(lambda frame: frame.size < 500), max_size=2))
    if "hnd-behind-plain" in avoid or not frames.allowed(line, avoid):
        before, line = [], draw(envelope_frame(type_, 1))
        message = 1
    double = type_ == "net.Socket" and "hnd-double-wrapped" not in avoid and draw(RARELY)
    if double:
        inner = b'{"cmd":"NODE_HANDLE","type":"net.Native","msg":' + line.line + b"}"
        line = Frame("double envelope", inner, (), ("HND-013", "HND-014"))
    two = draw(RARELY) and "hnd-stray-not-kept" not in avoid
    names = [name, f"t{number}"] if two else [name]
    steps: list[Step] = [{"make": kind, "name": name}]
    if two:
        steps.append({"make": "tcp-client", "name": f"t{number}"})
    steps += draw(riding(line, names, before))
    steps += [EXPECT_ACK, *(step for frame in before for step in frame.expect)]
    steps.append({"expect": {"delivered": tagged(message), "handle": type_}})
    if draw(st.booleans()):
        to = {"to": name} if kind == "udp4" else {}
        steps += [{"do": {"command": "poke", "handle": "$handle", "text": "it works", **to}}, {"reach": name, "text": "it works"}]
    steps.append({"do": {"command": "close", "handle": "$handle"}})
    steps += [{"drop": one} for one in names]
    kinds = [type_, kind, *(["two descriptors"] if two else []), *(["double envelope"] if double else [])]
    like = [*_likes_of(type_, kind), *(["hnd-double-wrapped"] if double else []), *(["hnd-stray-not-kept"] if two else []), "hnd-behind-plain"]
    return _of_frames(kinds, steps, [*before, line], needs=(f"receive:{type_}",), like=tuple(like))


def _likes_of(type_: str, kind: str) -> tuple[str, ...]:
    native = {"net.Native": ("hnd-receive-native",), "dgram.Native": ("hnd-receive-dgram-native",)}.get(type_, ())
    return (_LIKE[kind], *native, *(["hnd-receive-native-server"] if native and kind == "tcp-server" else []))


@st.composite
def refused(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """An envelope without a descriptor is refused, and nothing of it is delivered."""
    line = draw(envelope_frame(draw(st.sampled_from(sorted(HANDLES))), draw(VALUES)))
    step = draw(one_write([line]))
    return _of_frames(
        ["envelope without a descriptor"],
        [{"allow": {"event": "error"}}, step, EXPECT_NACK],
        [line],
        rules=("HND-012", "HND-037"),
        like=("hnd-no-descriptor", "hnd-receive-native"),
        quiet=True,
    )


def full_table(number: int, avoid: frozenset[str]) -> st.SearchStrategy[Act]:
    """A peer without room for a descriptor refuses the envelope, and takes it when there is room again ([HND-047])."""
    name = f"s{number}"
    line = frames.user(envelope("net.Socket", {"n": number}), texts.PLAIN)
    write = {"write": line.written, "fd": name}
    steps = [
        {"allow": {"event": "error"}},
        {"make": "tcp-client", "name": name},
        {"descriptors": "full"},
        write,
        EXPECT_NACK,
        {"descriptors": "free"},
        write,
        EXPECT_ACK,
        {"expect": {"delivered": {"n": number}, "handle": "net.Socket"}},
        {"do": {"command": "close", "handle": "$handle"}},
        {"drop": name},
    ]
    return st.just(
        Act(
            frozenset(["full table"]), tuple(steps), ("HND-047", "HND-034"), ("receive:net.Socket",),
            ("fuzz-full-table", "hnd-no-descriptor-then-good"), quiet=True,
        )
    )  # fmt: skip


@st.composite
def stray(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """A descriptor without an envelope is no harm to the message it came with, nor to a handle behind it."""
    name = f"s{number}"
    line = draw(frames.USER.filter(lambda frame: frames.allowed(frame, avoid)))
    steps: list[Step] = [{"make": draw(st.sampled_from(["tcp-client", "udp4", "unix-client"])), "name": name}]
    steps += [*draw(riding(line, [name], [])), *line.expect, {"barrier": True}, {"drop": name}]
    return _of_frames(["descriptor without an envelope"], steps, [line], rules=("HND-008",), needs=("receive:net.Socket",), like=("hnd-stray-plain", "hnd-stray-not-kept"))


@st.composite
def useless(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """An envelope of a type that nobody knows is acknowledged and reported."""
    name = f"s{number}"
    type_ = draw(st.sampled_from(["net.Future", "", "toString", "net.server", "NET.SOCKET"]))
    line = frames.user(envelope(type_, 1), texts.PLAIN)
    steps = [{"make": "tcp-client", "name": name}, *draw(riding(line, [name], [])), EXPECT_ACK, ERROR, {"drop": name}]
    return Act(
        frozenset(["unknown type"]), tuple(steps), ("HND-041", "HND-042"), ("receive:net.Socket",), ("hnd-unknown-type", "hnd-type-of-prototype"),
        LENIENT, ("clean", "closed", "died"), harsh=True,
    )  # fmt: skip


@st.composite
def counted(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """Connections of one key are counted, and the last one's end is told."""
    key = f"{number}:{draw(texts.TEXTS)}"
    count = draw(st.integers(1, 3))
    steps: list[Step] = []
    for index in range(count):
        name = f"s{number}-{index}"
        steps += [
            {"make": "tcp-client", "name": name},
            {"write": frames.user(envelope("net.Socket", index, key=key), texts.PLAIN).written, "fd": name},
            EXPECT_ACK,
            {"expect": {"delivered": index, "handle": "net.Socket"}},
            {"drop": name},
        ]
        if index < count - 1 and draw(st.booleans()):
            steps.append({"do": {"command": "close", "handle": "$handle"}})
    open_ = sum("expect" in step and "handle" in step["expect"] for step in steps) - sum("do" in step for step in steps)
    question = frames.user({"cmd": "NODE_SOCKET_GET_COUNT", "key": key}, texts.PLAIN)
    steps += [draw(one_write([question])), {"expect": {"frame": {"cmd": "NODE_SOCKET_COUNT", "key": tagged(key), "count": open_}}}]
    return Act(
        frozenset(["socket count", "NODE_SOCKET_GET_COUNT"]), tuple(steps), ("SLS-010", "SLS-011"), ("receive:net.Socket", "socket-lists"),
        ("sls-count-one", "sls-count-two", "sls-count-none", "sls-key-opaque", "sls-keys-apart"), last=True,
    )  # fmt: skip


# ---- messages and handles of the peer ---------------------------------------------------------------------


def send(value: Any, **others: Any) -> Step:
    """The command to send a message."""
    return {"do": {"command": "send", "message": tagged(value), **others}}


def written(value: Any) -> Step:
    """The step that waits for a frame."""
    return {"expect": {"frame": tagged(value)}}


SENDABLE = VALUES.filter(lambda value: not texts.is_internal(value) and "lone surrogates" not in set(texts.value_kinds(value)))
LONG = st.integers(1, 40).map(lambda size: "é" * size * 1000)


@st.composite
def sends(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """The peer sends a few messages, some of them long, to a reader that is slow now and then."""
    values = draw(st.lists(SENDABLE | LONG, min_size=1, max_size=4))
    values = [value for value in values if not avoid & set(frames.likes(frozenset(texts.value_kinds(value)), b""))]
    portion = draw(st.sampled_from([None, None, 1, 7, 1000]))
    if portion is not None and sum(len(spell(value).encode()) for value in values) > 500 * portion:
        portion = None
    slow: list[Step] = [{"reading": portion}] if portion else []
    steps = [*slow, *map(send, values), *map(written, values), *([{"reading": None}] if slow else [])]
    kinds = frozenset(["send", *(["slow reader"] if slow else []), *(["long send"] if any(map(_is_long, values)) else [])])
    return Act(kinds, tuple(steps), ("JSN-004", "JSN-005", "FRM-009", "FRM-003"), like=("jsn-send-strings",))


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > 500


@st.composite
def sends_handle(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """The peer sends a handle and messages behind it, which wait for the answer; meanwhile messages and a handle may cross."""
    name = f"m{number}"
    kind, type_ = draw(st.sampled_from([("tcp-server", "net.Server"), ("udp4", "dgram.Socket")]))
    behind = draw(st.lists(SENDABLE, max_size=3))
    refusals = 0 if "hnd-nack-server" in avoid else draw(st.integers(0, 3))
    expected = {"expect": {"frame": {"cmd": "NODE_HANDLE", "type": type_, "msg": number}, "subset": True, "fd": f"f{number}"}}
    steps: list[Step] = [{"do": {"command": "make", "kind": kind, "name": name}}, send(number, handle=name)]
    steps += [*map(send, behind), expected]
    crossing = draw(RARELY)
    if crossing:
        steps += [
            {"make": "tcp-server", "name": f"s{number}"},
            {"write": frames.user(envelope("net.Server", "crossing"), texts.PLAIN).written, "fd": f"s{number}"},
            EXPECT_ACK,
            {"expect": {"delivered": "crossing", "handle": "net.Server"}},
            {"do": {"command": "close", "handle": "$handle"}},
            {"drop": f"s{number}"},
        ]
    for _ in range(refusals):
        steps += [NACK, expected]
    steps += [{"barrier": True}, ACK, *map(written, behind), {"do": {"command": "close", "handle": name}}]
    kinds = ["send handle", f"send {type_}", *(["crossing"] if crossing else []), *(["refused handle"] if refusals else [])]
    return Act(
        frozenset(kinds), tuple(steps), ("HND-001", "HND-010", "HND-017", "HND-020", "HND-015"), (f"send:{type_}", "receive:net.Server"),
        ("hnd-send-queue", "hnd-send-server", "hnd-send-udp", "hnd-crossing", "hnd-nack-server", "hnd-nack-four"),
    )  # fmt: skip


@st.composite
def turned_down(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """A message that its receiver would take for internal is refused, and nothing of it is written."""
    word = draw(st.sampled_from(["HANDLE", "HANDLE_ACK", "x", "SOCKET_COUNT"]))
    others = draw(st.dictionaries(st.sampled_from("ab"), texts.SCALARS, max_size=1))
    step = {**send({**others, "cmd": f"NODE_{word}"}), "refused": "turned-down"}
    return Act(frozenset(["turned down"]), (step, {"barrier": True}), ("CLS-005", "ERR-004"), like=("cls-send-internal",), outcomes={"turned-down": "conform"})


# ---- ends -------------------------------------------------------------------------------------------------


@st.composite
def unfinished(draw: st.DrawFn) -> list[Step]:
    """Write messages and a part of one that never ends."""
    drawn = draw(st.lists(frames.USER.filter(lambda frame: frame.size < 500), max_size=3))
    cut_off = draw(VALUES.map(lambda value: spell(value).encode()).filter(lambda line: len(line) > 0))
    part = cut_off[: draw(st.integers(0, len(cut_off)))]
    tail = [{"hex": part.hex()}] if part else []
    if not drawn and not tail:
        return []
    return [{"write": [chunk for frame in drawn for chunk in frame.written] + tail}, *(step for frame in drawn for step in frame.expect)]


@st.composite
def end(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """The channel ends, in the middle of a line or between two."""
    how = draw(st.sampled_from(["close", "close first", "shutdown", "disconnect", "pending handle", "killed"]))
    steps = draw(unfinished().filter(lambda steps: not avoid or not steps or "lone" not in str(steps)))
    torn = bool(steps) and "hex" in str(steps[0]["write"][-1])
    kinds = frozenset([f"end: {how}", *(["torn line"] if torn else [])])
    rules, like = ("LIF-001", "LIF-004", "FRM-029"), ("lif-messages-then-close", "lif-close", "frm-unterminated-end")
    if how == "close first" and steps:
        steps = [steps[0], {"close": True}, *steps[1:], GONE]
    elif how == "shutdown":
        steps += [{"shutdown": True}, EXPECT_EOF]
        return Act(kinds, tuple(steps), ("LIF-002",), like=("lif-half-close", *like), ending=("clean", "closed"), last=True)
    elif how == "disconnect":
        values = draw(st.lists(SENDABLE, max_size=3))
        steps = [*steps, *map(send, values), {"do": {"command": "disconnect"}}, *map(written, values), EXPECT_EOF]
        return Act(kinds, tuple(steps), ("LIF-010", "LIF-011"), like=("lif-disconnect-unfinished-line", "lif-send-then-disconnect"), ending=("closed",), last=True)
    elif how == "pending handle":
        steps = [{"do": {"command": "make", "kind": "tcp-server", "name": "m"}}, send("h", handle="m"), send("behind")]
        steps += [{"expect": {"frame": {"cmd": "NODE_HANDLE", "type": "net.Server", "msg": "h"}, "subset": True, "fd": "f"}}, {"close": True}, GONE]
        return Act(kinds, tuple(steps), ("LIF-001",), ("send:net.Server",), ("lif-end-instead-of-answer", "lif-end-with-queue"), last=True)
    elif how == "killed":
        told = {"expect": {"event": {"event": "exit", "code": None, "signal": "SIGKILL"}}}
        steps += [{"close": True}, {"end": {"signal": "SIGKILL"}}, told, GONE]
        return Act(kinds, tuple(steps), ("LIF-020", *rules), like=("lif-child-killed-sigkill", *like), roles=("parent",), last=True)
    else:
        steps += [{"close": True}, GONE]
    return Act(kinds, tuple(steps), rules, like=like, last=True)


ORDINARY = (messages, messages, receive, receive, sends, sends_handle, stray)
QUIET = (refused, full_table)
HARSH = (bad_input, useless)
LAST = (end, end, counted)
STRICT = (turned_down,)
"""Only the reference is held to these in the middle of a plan."""

MESSAGE_KINDS = frozenset(
    [*frames.GOOD, *(f"NODE_SOCKET_{cmd}" for cmd in frames.SOCKET_CMDS), "NODE_HANDLE", "unowed ACK", "unowed NACK", "bad line", "blank line"]
    + [*HANDLES, "tcp-server", "unix-server", "tcp-client", "unix-client", "udp4"]
    + ["two descriptors", "double envelope", "descriptor without an envelope", "envelope without a descriptor", "unknown type", "full table"]
    + ["send", "long send", "slow reader", "send handle", "send net.Server", "send dgram.Socket", "crossing", "refused handle", "turned down"]
    + [f"end: {how}" for how in ("close", "close first", "shutdown", "disconnect", "pending handle", "killed")]
    + ["torn line", "socket count", "small buffer"]
) - {"socket list"}  # fmt: skip
"""Every kind of message and of fault that plans have to show."""

LIKES = tuple(
    sorted(
        {
            *"cls-cmd-twice cls-send-internal cls-unknown-internal frm-blank-line frm-blanks-inside frm-garbage frm-good-before-bad".split(),
            *"frm-nul-alone frm-string-1m frm-truncated frm-unterminated-end frm-utf8-invalid frm-utf8-overlong frm-utf8-truncated".split(),
            *"jsn-big-integer jsn-depth-1000 jsn-doubles jsn-dollar-member jsn-duplicate-members jsn-empty-name jsn-integer-names".split(),
            *"jsn-lone-surrogate jsn-negative-zero jsn-not-nan jsn-proto jsn-raw-separators jsn-send-strings".split(),
            *"hnd-behind-plain hnd-crossing hnd-double-wrapped hnd-nack-four hnd-nack-server hnd-no-descriptor hnd-no-descriptor-then-good".split(),
            *"hnd-receive-native hnd-receive-native-server hnd-receive-dgram-native hnd-receive-server hnd-receive-socket hnd-receive-udp".split(),
            *"hnd-receive-unix-server hnd-receive-unix-socket hnd-send-queue hnd-send-server hnd-send-udp hnd-stray-not-kept hnd-stray-plain".split(),
            *"hnd-stray-then-good hnd-type-of-prototype hnd-unknown-type hnd-unsolicited-ack hnd-unsolicited-nack".split(),
            *"lif-child-killed-sigkill lif-close lif-disconnect-unfinished-line lif-end-instead-of-answer lif-end-with-queue lif-half-close".split(),
            *"lif-messages-then-close lif-send-then-disconnect".split(),
            *"sls-count-none sls-count-one sls-count-two sls-key-opaque sls-keys-apart sls-unasked-answers sls-unknown-key".split(),
            *"fuzz-full-table".split(),
        }
    )
)
"""The cases of the catalogue that acts are variations of."""

__all__ = [
    "LIKES","HARSH", "LAST", "MESSAGE_KINDS", "ORDINARY", "QUIET", "STRICT", "Act", "delivered"]
