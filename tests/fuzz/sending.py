"""Acts in which the peer sends, and those in which the channel ends."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from fuzz import frames, texts
from fuzz.acts import ACK, EXPECT_ACK, EXPECT_EOF, GONE, NACK, RARELY, Act, envelope
from fuzz.texts import VALUES, spell, tagged

if TYPE_CHECKING:
    from fuzz.frames import Step

# ---- messages and handles of the peer ---------------------------------------------------------------------


def send(value: Any, **others: Any) -> Step:
    """The command to send a message."""
    return {"do": {"command": "send", "message": tagged(value), **others}}


def written(value: Any) -> Step:
    """The step that waits for a frame."""
    return {"expect": {"frame": tagged(value)}}


# JSON.stringify writes 0 for -0, and a surrogate is refused or escaped.
_UNSENDABLE = {"lone surrogates", "minus zero"}
SENDABLE = VALUES.filter(
    lambda value: not texts.is_internal(value) and not _UNSENDABLE & set(texts.value_kinds(value))
)
LONG = st.integers(1, 40).map(lambda size: "é" * size * 1000)


@st.composite
def sends(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """The peer sends a few messages, some of them long, to a reader that is slow now and then."""
    values = draw(st.lists(SENDABLE | LONG, min_size=1, max_size=4))
    values = [
        value for value in values if not avoid & set(frames.likes(frozenset(texts.value_kinds(value)), b""))
    ]
    portion = draw(st.sampled_from([None, None, 1, 7, 1000]))
    if portion is not None and sum(len(spell(value).encode()) for value in values) > 500 * portion:
        portion = None
    slow: list[Step] = [{"read_size": portion}] if portion else []
    steps = [*slow, *map(send, values), *map(written, values), *([{"read_size": None}] if slow else [])]
    kinds = frozenset(
        ["send", *(["slow reader"] if slow else []), *(["long send"] if any(map(_is_long, values)) else [])]
    )
    return Act(kinds, tuple(steps), ("JSN-004", "JSN-005", "FRM-009", "FRM-003"), like=("jsn-send-strings",))


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > 500


_REFUSALS = ("hnd-nack-server", "hnd-nack-four")


@st.composite
def sends_handle(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """The peer sends a handle and messages behind it, which wait for the answer; meanwhile messages and a handle may cross."""
    name = f"m{number}"
    kind, type_ = draw(st.sampled_from([("tcp-server", "net.Server"), ("udp4", "dgram.Socket")]))
    behind = draw(st.lists(SENDABLE, max_size=3))
    refusals = 0 if "hnd-nack-server" in avoid else draw(st.integers(0, 3))
    expected = {
        "expect": {
            "frame": {"cmd": "NODE_HANDLE", "type": type_, "msg": number},
            "subset": True,
            "fd": f"f{number}",
        }
    }
    steps: list[Step] = [{"do": {"command": "make", "kind": kind, "name": name}}, send(number, handle=name)]
    steps += [*map(send, behind), expected]
    crossing = draw(RARELY)
    if crossing:
        steps += [
            {"make": "tcp-server", "name": f"s{number}"},
            {
                "write": frames.user(envelope("net.Server", "crossing"), texts.PLAIN).written,
                "fd": f"s{number}",
            },
            EXPECT_ACK,
            {"expect": {"delivered": "crossing", "handle": "net.Server"}},
            {"do": {"command": "close", "handle": "$handle"}},
            {"close_own": f"s{number}"},
        ]
    for _ in range(refusals):
        steps += [NACK, expected]
    steps += [{"barrier": True}, ACK, *map(written, behind), {"do": {"command": "close", "handle": name}}]
    kinds = [
        "send handle",
        f"send {type_}",
        *(["crossing"] if crossing else []),
        *(["refused handle"] if refusals else []),
    ]
    return Act(
        frozenset(kinds), tuple(steps), ("HND-001", "HND-010", "HND-017", "HND-020", "HND-015"), (f"send:{type_}", "receive:net.Server"),
        ("hnd-send-queue", "hnd-send-server", "hnd-send-udp", *(["hnd-crossing"] if crossing else []), *(_REFUSALS if refusals else [])),
    )  # fmt: skip


@st.composite
def turned_down(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """A message that its receiver would take for internal is refused, and no byte of it is written."""
    word = draw(st.sampled_from(["HANDLE", "HANDLE_ACK", "x", "SOCKET_COUNT"]))
    others = draw(st.dictionaries(st.sampled_from("ab"), texts.SCALARS, max_size=1))
    step = {**send({**others, "cmd": f"NODE_{word}"}), "refused": "turned-down"}
    return Act(
        frozenset(["turned down"]),
        (step, {"barrier": True}),
        ("CLS-005", "ERR-004"),
        like=("cls-send-internal",),
        outcomes={"turned-down": "conform"},
    )


# ---- ends -------------------------------------------------------------------------------------------------


@st.composite
def unfinished(draw: st.DrawFn) -> list[Step]:
    """Write messages, and a part of a message that never ends."""
    drawn = draw(st.lists(frames.USER.filter(lambda frame: frame.size < 500), max_size=3))
    cut_off = draw(VALUES.map(lambda value: spell(value).encode()).filter(lambda line: len(line) > 0))
    part = cut_off[: draw(st.integers(0, len(cut_off)))]
    tail = [{"hex": part.hex()}] if part else []
    if not drawn and not tail:
        return []
    return [
        {"write": [chunk for frame in drawn for chunk in frame.written] + tail},
        *(step for frame in drawn for step in frame.expect),
    ]


@st.composite
def end(draw: st.DrawFn, number: int, avoid: frozenset[str], how: str) -> Act:
    """The channel ends, in the middle of a line or between two."""
    steps = draw(unfinished().filter(lambda steps: not avoid or not steps or "lone" not in str(steps)))
    torn = bool(steps) and "hex" in str(steps[0]["write"][-1])
    kinds = frozenset([f"end: {how}", *(["torn line"] if torn else [])])
    rules, like = (
        ("LIF-001", "LIF-004", "FRM-029"),
        ("lif-messages-then-close", "lif-close", "frm-unterminated-end"),
    )
    if how == "close first" and steps:
        steps = [steps[0], {"close_channel": True}, *steps[1:], GONE]
    elif how == "shutdown":
        steps += [{"half_close_channel": True}, EXPECT_EOF]
        return Act(
            kinds,
            tuple(steps),
            ("LIF-002",),
            like=("lif-half-close", *like),
            ending=("clean", "closed"),
            last=True,
        )
    elif how == "disconnect":
        values = draw(st.lists(SENDABLE, max_size=3))
        steps = [
            *steps,
            *map(send, values),
            {"do": {"command": "disconnect"}},
            *map(written, values),
            EXPECT_EOF,
        ]
        return Act(
            kinds,
            tuple(steps),
            ("LIF-010", "LIF-011"),
            like=("lif-send-then-disconnect", *(["lif-disconnect-unfinished-line"] if torn else [])),
            ending=("closed",),
            last=True,
        )
    elif how == "pending handle":
        steps = [
            {"do": {"command": "make", "kind": "tcp-server", "name": "m"}},
            send("h", handle="m"),
            send("behind"),
        ]
        steps += [
            {
                "expect": {
                    "frame": {"cmd": "NODE_HANDLE", "type": "net.Server", "msg": "h"},
                    "subset": True,
                    "fd": "f",
                }
            },
            {"close_channel": True},
            GONE,
        ]
        return Act(
            kinds,
            tuple(steps),
            ("LIF-001",),
            ("send:net.Server",),
            ("lif-end-instead-of-answer", "lif-end-with-queue"),
            last=True,
        )
    elif how == "killed":
        told = {"expect": {"event": {"event": "exit", "code": None, "signal": "SIGKILL"}}}
        steps += [{"close_channel": True}, {"end_child": {"signal": "SIGKILL"}}, told, GONE]
        return Act(
            kinds,
            tuple(steps),
            ("LIF-020", *rules),
            like=("lif-child-killed-sigkill", *like),
            roles=("parent",),
            last=True,
        )
    else:
        steps += [{"close_channel": True}, GONE]
    return Act(kinds, tuple(steps), rules, like=like, last=True)


WAYS = ("close", "close first", "shutdown", "disconnect", "pending handle", "killed")
ENDS = tuple(partial(end, how=how) for how in WAYS)
