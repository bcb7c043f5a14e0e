"""Acts in which frames arrive at the peer: messages, handles, and bad frames."""

from __future__ import annotations

from functools import partial

from hypothesis import strategies as st

from fuzz import frames, texts
from fuzz.acts import (
    EXPECT_ACK,
    EXPECT_NACK,
    HANDLES,
    LENIENT,
    RARELY,
    Act,
    envelope,
    envelope_frame,
    of_frames,
    one_write,
    riding,
)
from fuzz.frames import ERROR, Frame, Step
from fuzz.texts import VALUES, tagged


@st.composite
def messages(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """Several good frames in a single write."""
    drawn = draw(st.lists(frames.good(avoid), min_size=1, max_size=5))
    steps = [draw(one_write(drawn)), *(step for frame in drawn for step in frame.expect)]
    return of_frames(["messages"], steps, drawn)


@st.composite
def bad_input(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """Bad frames between good frames in a single write."""
    lists = st.lists(frames.good(avoid).filter(lambda frame: frame.size < 1000), max_size=2)
    bad = frames.BAD.filter(lambda frame: frames.allowed(frame, avoid))
    drawn = [*draw(lists), draw(bad), *draw(lists)]
    steps = [draw(one_write(drawn)), *(step for frame in drawn for step in frame.expect)]
    return of_frames(
        ["bad input"], steps, drawn, outcomes=LENIENT, ending=("clean", "closed", "died"), harsh=True
    )


_LIKE = {
    "tcp-server": "hnd-receive-server",
    "unix-server": "hnd-receive-unix-server",
    "tcp-client": "hnd-receive-socket",
    "unix-client": "hnd-receive-unix-socket",
    "udp4": "hnd-receive-udp",
}


@st.composite
def receive(draw: st.DrawFn, number: int, avoid: frozenset[str], type_: str) -> Act:
    """A handle arrives, is used and closed."""
    kinds_of_socket = [kind for kind in HANDLES[type_] if not avoid & set(_likes_of(type_, kind))]
    if not kinds_of_socket:
        return draw(messages(number, avoid))
    kind = draw(st.sampled_from(kinds_of_socket))
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
        steps += [
            {"do": {"command": "prove", "handle": "$handle", "text": "it works", **to}},
            {"expect_at_peer": name, "text": "it works"},
        ]
    steps.append({"do": {"command": "close", "handle": "$handle"}})
    steps += [{"close_own": one} for one in names]
    kinds = [type_, kind, *(["two descriptors"] if two else []), *(["double envelope"] if double else [])]
    like = [
        *_likes_of(type_, kind),
        *(["hnd-double-wrapped"] if double else []),
        *(["hnd-stray-not-kept"] if two else []),
        "hnd-behind-plain",
    ]
    return of_frames(kinds, steps, [*before, line], needs=(f"receive:{type_}",), like=tuple(like))


def _likes_of(type_: str, kind: str) -> tuple[str, ...]:
    native = {"net.Native": ("hnd-receive-native",), "dgram.Native": ("hnd-receive-dgram-native",)}.get(
        type_, ()
    )
    return (_LIKE[kind], *native, *(["hnd-receive-native-server"] if native and kind == "tcp-server" else []))


@st.composite
def refused(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """An envelope without a descriptor is refused, and its message is not delivered."""
    line = draw(envelope_frame(draw(st.sampled_from(sorted(HANDLES))), draw(VALUES)))
    step = draw(one_write([line]))
    return of_frames(
        ["envelope without a descriptor"],
        [{"allow_event": {"event": "error"}}, step, EXPECT_NACK],
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
    steps: list[Step] = [
        {"allow_event": {"event": "error"}},
        {"make": "tcp-client", "name": name},
        {"descriptors": "full"},
        write,
        EXPECT_NACK,
        {"descriptors": "free"},
        write,
        EXPECT_ACK,
        {"expect": {"delivered": {"n": number}, "handle": "net.Socket"}},
        {"do": {"command": "close", "handle": "$handle"}},
        {"close_own": name},
    ]
    return st.just(
        Act(
            frozenset(["full table"]), tuple(steps), ("HND-047", "HND-034"), ("receive:net.Socket",),
            ("hnd-no-room", "hnd-no-descriptor-then-good"), quiet=True,
        )
    )  # fmt: skip


@st.composite
def stray(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """A descriptor without an envelope is no harm to the message it came with, nor to a handle behind it."""
    name = f"s{number}"
    line = draw(frames.USER.filter(lambda frame: frames.allowed(frame, avoid)))
    steps: list[Step] = [{"make": draw(st.sampled_from(["tcp-client", "udp4", "unix-client"])), "name": name}]
    steps += [*draw(riding(line, [name], [])), *line.expect, {"barrier": True}, {"close_own": name}]
    return of_frames(
        ["descriptor without an envelope"],
        steps,
        [line],
        rules=("HND-008",),
        needs=("receive:net.Socket",),
        like=("hnd-stray-plain", "hnd-stray-not-kept"),
    )


@st.composite
def useless(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """An envelope of an unknown type is acknowledged and reported."""
    name = f"s{number}"
    type_ = draw(st.sampled_from(["net.Future", "", "toString", "net.server", "NET.SOCKET"]))
    line = frames.user(envelope(type_, 1), texts.PLAIN)
    steps = [
        {"make": "tcp-client", "name": name},
        *draw(riding(line, [name], [])),
        EXPECT_ACK,
        ERROR,
        {"close_own": name},
    ]
    return Act(
        frozenset(["unknown type"]), tuple(steps), ("HND-041", "HND-042"), ("receive:net.Socket",),
        ("hnd-unknown-type", "hnd-type-of-prototype"),
        LENIENT, ("clean", "closed", "died"), harsh=True,
    )  # fmt: skip


@st.composite
def counted(draw: st.DrawFn, number: int, avoid: frozenset[str]) -> Act:
    """Connections of a key are counted, and the end of the last connection is reported."""
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
            {"close_own": name},
        ]
        if index < count - 1 and draw(st.booleans()):
            steps.append({"do": {"command": "close", "handle": "$handle"}})
    open_ = sum("expect" in step and "handle" in step["expect"] for step in steps) - sum(
        "do" in step for step in steps
    )
    question = frames.user({"cmd": "NODE_SOCKET_GET_COUNT", "key": key}, texts.PLAIN)
    steps += [
        draw(one_write([question])),
        {"expect": {"frame": {"cmd": "NODE_SOCKET_COUNT", "key": tagged(key), "count": open_}}},
    ]
    return Act(
        frozenset(["socket count", "NODE_SOCKET_GET_COUNT"]), tuple(steps), ("SLS-010", "SLS-011"), ("receive:net.Socket", "socket-lists"),
        ("sls-count-one", "sls-count-two", "sls-count-none", "sls-key-opaque", "sls-keys-apart"), last=True,
    )  # fmt: skip


RECEIVES = tuple(partial(receive, type_=type_) for type_ in HANDLES)
