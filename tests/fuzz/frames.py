"""Frames that a peer may find in its channel, good and bad, each with the reading of a receiver by the spec."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from fuzz import texts
from fuzz.texts import PLAIN, STYLES, VALUES, is_internal, spell, tagged

if TYPE_CHECKING:
    from collections.abc import Callable

Step = dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """A line and its consequence. The fields are parts of a case, except ``kind``, the name of the kind of message."""

    kind: str
    line: bytes
    expect: tuple[Step, ...]
    rules: tuple[str, ...]
    like: tuple[str, ...] = ()
    """Cases of the catalogue that it varies."""
    chunks: tuple[Any, ...] = ()
    """How a case file writes the line, where it is too long to be written out."""
    values: frozenset[str] = field(default_factory=frozenset)
    """Kinds of values and spellings in it."""

    @property
    def written(self) -> list[Any]:
        """The chunks of a ``write`` step."""
        if self.chunks:
            return list(self.chunks)
        try:
            return [f"{self.line.decode()}\n"]
        except UnicodeDecodeError:
            return [{"hex": (self.line + b"\n").hex()}]

    @property
    def size(self) -> int:
        """Bytes of the frame, its line feed included."""
        return len(self.line) + 1


def delivered(value: Any) -> Step:
    """The step that waits for a user message."""
    return {"expect": {"delivered": tagged(value)}}


ERROR: Step = {"expect": {"event": {"event": "error"}}}

# ---- good frames ------------------------------------------------------------------------------------------


def likes(values: frozenset[str], line: bytes) -> tuple[str, ...]:
    """Cases of the catalogue about the special parts of a text."""
    named = {
        "lone surrogates": "jsn-lone-surrogate",
        "minus zero": "jsn-negative-zero",
        "duplicate members": "jsn-duplicate-members",
        "beyond 2**53": "jsn-big-integer",
        "denormal": "jsn-doubles",
        "__proto__": "jsn-proto",
        "number as a name": "jsn-integer-names",
        "dollar": "jsn-dollar-member",
        "blanks": "frm-blanks-inside",
        "line separators": "jsn-raw-separators",
        "empty name": "jsn-empty-name",
    }
    found = [case for kind, case in named.items() if kind in values]
    return (*found, *(["cls-cmd-twice"] if b"cmd" in line and "duplicate members" in values else []))


def user(value: Any, style: texts.Style, kind: str = "user message") -> Frame:
    """A user message."""
    values = frozenset([*texts.value_kinds(value), *texts.spelling_kinds(style)])
    line = spell(value, style).encode()
    return Frame(
        kind,
        line,
        (delivered(value),),
        ("FRM-020", "FRM-021", "JSN-020", "CLS-002"),
        likes(values, line),
        (),
        values,
    )


def _is_user(value: Any) -> bool:
    return not is_internal(value) and not (isinstance(value, dict) and value.keys() == {"probe"})


USER = st.builds(user, st.sampled_from(texts.ODD) | VALUES.filter(_is_user), STYLES)
LOOKALIKES = st.builds(
    user,
    st.sampled_from(
        [
            {"cmd": "NODE_"},
            {"cmd": "node_HANDLE"},
            {"cmd": ["NODE_HANDLE"]},
            {"cmd": 1},
            {"cmd": None},
            {"a": {"cmd": "NODE_HANDLE"}},
            [{"cmd": "NODE_HANDLE"}],
            "NODE_HANDLE",
            {"CMD": "NODE_HANDLE"},
            {"cmd ": "NODE_HANDLE"},
        ]
    ),
    st.builds(texts.Style, st.sampled_from(["", " "]), st.sampled_from(["few", "all"])),
    st.just("lookalike"),
)
_KNOWN = {"HANDLE", "HANDLE_ACK", "HANDLE_NACK", "CLUSTER"}


@st.composite
def unknown_internal(draw: st.DrawFn) -> Frame:
    """An unknown internal message ([CLS-004])."""
    word = draw(st.sampled_from(["x", "FUTURE", "_", "é", "HANDLE_", "handle", "HANDLE_ACK "]) | texts.TEXTS)
    if not word or word in _KNOWN or word.startswith("SOCKET_"):
        word = "FUTURE"
    others = draw(st.dictionaries(texts.NAMES.filter(lambda name: name != "cmd"), texts.SCALARS, max_size=2))
    message = {**others, "cmd": f"NODE_{word}"}
    line = spell(message, draw(STYLES)._replace(twice=False)).encode()
    return Frame(
        "unknown internal message", line, (), ("CLS-001", "CLS-003", "CLS-004"), ("cls-unknown-internal",)
    )


SOCKET_CMDS = ("GET_COUNT", "NOTIFY_CLOSE", "COUNT", "ALL_CLOSED")


@st.composite
def socket_list_noise(draw: st.DrawFn) -> Frame:
    """A question about an unknown key, or an answer without a question; neither gets an answer."""
    cmd = draw(st.sampled_from(SOCKET_CMDS))
    message: dict[str, Any] = {"cmd": f"NODE_SOCKET_{cmd}", "key": f"nobody {draw(texts.TEXTS)}"}
    if cmd == "COUNT":
        message["count"] = draw(st.integers(0, 9))
    line = spell(message, draw(STYLES)._replace(twice=False)).encode()
    return Frame(
        f"NODE_SOCKET_{cmd}", line, (), ("SLS-005", "SLS-013"), ("sls-unknown-key", "sls-unasked-answers")
    )


@st.composite
def broken_utf8(draw: st.DrawFn) -> Frame:
    """A string that is not UTF-8 ([FRM-028])."""
    broken = draw(
        st.sampled_from(
            [b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80", b"\x80", b"\xf8"]
        )
        | st.binary(min_size=1, max_size=6).filter(
            lambda data: not set(data) & set(b'\\"') and min(data) > 31
        )
    )
    line = (
        b'["'
        + draw(st.sampled_from([b"", b"a", b"\xc3\xa9"]))
        + broken
        + draw(st.sampled_from([b"", b"b"]))
        + b'"]'
    )
    understood, value = texts.read(line)
    assert understood
    return Frame(
        "broken UTF-8",
        line,
        (delivered(value),),
        ("FRM-028",),
        ("frm-utf8-invalid", "frm-utf8-truncated", "frm-utf8-overlong"),
    )


@st.composite
def long_frame(draw: st.DrawFn) -> Frame:
    """A message as long as the pieces in which the kernel or a peer moves bytes, or a little more or less."""
    edge = draw(st.sampled_from([4096, 65536, 131072, 212992]))
    size = max(1, edge - 3 + draw(st.integers(-3, 3)))
    line = b'"' + b"x" * size + b'"'
    expected = {"expect": {"delivered": {"$": "repeat", "s": "x", "times": size}}}
    chunks = ('"', {"repeat": "x", "times": size}, '"\n')
    return Frame("long message", line, (expected,), ("FRM-020", "FRM-023"), ("frm-string-1m",), chunks)


@st.composite
def deep_frame(draw: st.DrawFn) -> Frame:
    """A message with many levels."""
    depth = draw(st.integers(2, 3000))
    line = b"[" * depth + b"]" * depth
    expected = {"expect": {"delivered": {"$": "nested", "depth": depth}}}
    chunks = ({"repeat": "[", "times": depth}, {"repeat": "]", "times": depth}, "\n")
    return Frame("deep message", line, (expected,), ("JSN-029",), ("jsn-depth-1000",), chunks)


GOOD: dict[str, st.SearchStrategy[Frame]] = {
    "user message": USER,
    "lookalike": LOOKALIKES,
    "unknown internal message": unknown_internal(),
    "socket list": socket_list_noise(),
    "broken UTF-8": broken_utf8(),
    "long message": long_frame(),
    "deep message": deep_frame(),
}

# ---- bad frames -------------------------------------------------------------------------------------------

_BAD_TEXTS = [
    b"garbage", b"{", b"NaN", b"[-Infinity]", b"[1,]", b"{'a':1}", b"01", b"+1", b"1 2", b"\x00",
    b"\xef\xbb\xbf1", b'"\t"', b'"\x00"', b'"\\x"', b'"\\u12"', b"nul", b"tru", b"[1", b'{"a"}', b'{"a":}', b"/**/1", b"undefined", b".5",
    b"1.",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The text of a value with a byte added, left out or changed."""
    line = spell(draw(VALUES), draw(STYLES)).encode()
    at = draw(st.integers(0, len(line)))
    insert = draw(st.sampled_from([b"", b",", b'"', b"}", b"0", b"\\", b"\x00", b"\xff", b" "]))
    return line[:at] + insert + line[at + draw(st.integers(0, 1)) :]


_BLANKS = [b"", b" ", b"\r", b"\t \r"]


def refused(kind: str, like: tuple[str, ...], line: bytes) -> Frame:
    """A line that is no message, by the reader of the kit ([FRM-026])."""
    return Frame(kind, line, (ERROR,), ("FRM-026", "ERR-003"), like)


def _is_bad(line: bytes) -> bool:
    return bool(line.strip(b" \t\r")) and b"\n" not in line and not texts.read(line)[0]


def bad_line() -> st.SearchStrategy[Frame]:
    """Return lines that are not JSON."""
    like = ("frm-garbage", "frm-truncated", "frm-nul-alone", "jsn-not-nan")
    return (st.sampled_from(_BAD_TEXTS) | damaged()).filter(_is_bad).map(partial(refused, "bad line", like))


@st.composite
def unowed_answer(draw: st.DrawFn) -> Frame:
    """An acknowledgement or a refusal while no handle is under way ([HND-051])."""
    word = draw(st.sampled_from(["ACK", "NACK"]))
    return Frame(
        f"unowed {word}",
        spell({"cmd": f"NODE_HANDLE_{word}"}, draw(STYLES)._replace(twice=False)).encode(),
        (ERROR,),
        ("HND-051",),
        (f"hnd-unsolicited-{word.lower()}",),
    )


BLANK = st.sampled_from(_BLANKS).map(partial(refused, "blank line", ("frm-blank-line",)))
BAD = bad_line() | unowed_answer() | BLANK


def plain(value: Any) -> Frame:
    """A user message with a number that makes it unique."""
    return user(value, PLAIN)


def allowed(frame: Frame, avoid: frozenset[str]) -> bool:
    """Whether no part of a frame is among the cases to be avoided."""
    return not avoid & set(frame.like)


@cache
def good(avoid: frozenset[str]) -> st.SearchStrategy[Frame]:
    """Return the good frames for a peer that is known to deviate in the cases ``avoid``."""
    keep: Callable[[Frame], bool] = lambda frame: allowed(frame, avoid)  # noqa: E731
    return st.one_of([USER, USER, *GOOD.values()]).filter(keep)
