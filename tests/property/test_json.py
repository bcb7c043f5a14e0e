"""The fast path and the exact path are the same function, and encoded bytes mean the value that was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodechannel._json import exact, writing
from nodechannel.errors import InvalidJson, InvalidMessage
from property.jsonvalues import (
    FLOAT_KINDS,
    LINES,
    MESSAGES,
    MIXED_MESSAGES,
    STRING_KINDS,
    flat,
    javascript_scalar,
    kinds,
    python_scalar,
    sent_scalar,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

fast = pytest.importorskip("nodechannel._json.fast", reason="orjson is not installed")

Tokens = list[str]

# A strategy that never draws the interesting kinds proves little: the kinds that these tests must have met.
JSON_KINDS = {
    "NoneType",
    "bool",
    "int",
    "float",
    "str",
    "list",
    "dict",
    *map("str of {}".format, STRING_KINDS),
}
MESSAGE_KINDS = (
    JSON_KINDS
    | {"tuple", "Text", "Count", "Real", "Items", "Members", "Pair", "OrderedDict", "UUID"}
    | {"Level", "Colour", "Odd", "key Text", "key Colour"}
    | {f"float {what}" for what in FLOAT_KINDS}
)
REFUSED_KINDS = {"no JSON", "key int", "int beyond 2**53", "int beyond 2**63"}
DIRTY_BYTES = {"bad UTF-8": b"\xff", "NUL": b"\0", "BOM": b"\xef\xbb\xbf", "-0": b"-0", "escape": b"\\u"}
LINE_KINDS = (
    JSON_KINDS
    | {"refused", "float infinite", "float -0.0", "float beyond 2**64", "float with a fraction"}
    | {"int beyond 2**53", "int beyond 2**63", *DIRTY_BYTES}
)


def decoded(decode: Callable[[bytes], Any], line: bytes) -> Tokens | tuple[str, bytes]:
    try:
        value = decode(line)
    except InvalidJson as error:
        return str(error), error.line
    return flat(value, python_scalar)


def encoded(encode: Callable[..., bytes], message: object, unsafe: bool) -> Tokens | tuple[str, str]:
    try:
        frame = encode(message, unsafe_integers=unsafe)
    except InvalidMessage as error:
        return error.reason, error.path
    return flat(exact.decode(frame[:-1]), javascript_scalar)


def test_both_paths_read_a_line_alike() -> None:
    seen: set[str] = set()

    @settings(max_examples=1000)
    @given(LINES)
    def check(line: bytes) -> None:
        found = decoded(exact.decode, line)
        seen.update(line_kinds(line, found))
        assert decoded(fast.decode, line) == found

    check()
    assert seen >= LINE_KINDS


def line_kinds(line: bytes, found: Tokens | tuple[str, bytes]) -> Iterator[str]:
    yield from (what for what, bytes_ in DIRTY_BYTES.items() if bytes_ in line)
    if isinstance(found, tuple):
        yield "refused"
    else:
        yield from kinds(exact.decode(line))


@settings(max_examples=30)
@given(st.integers(1, 3000), st.sampled_from([b"[", b'{"a":', b'[{"b":']), st.integers(-1, 1))
@pytest.mark.rule("JSN-029")
def test_both_paths_read_deep_lines_alike(depth: int, start: bytes, surplus: int) -> None:
    end = start.translate(bytes.maketrans(b"[{", b"]}"), b'"ab:')[::-1]
    line = start * depth + b"-0" + end * (depth + surplus)
    assert decoded(fast.decode, line) == decoded(exact.decode, line)
    assert isinstance(decoded(exact.decode, line), tuple) == (surplus != 0)


def test_both_paths_write_and_refuse_alike() -> None:
    seen: set[str] = set()

    @settings(max_examples=500)
    @given(MIXED_MESSAGES, st.booleans())
    def check(message: object, unsafe: bool) -> None:
        seen.update(kinds(message))
        assert encoded(fast.encode, message, unsafe) == encoded(writing.encode, message, unsafe)

    check()
    assert seen >= MESSAGE_KINDS | REFUSED_KINDS


@pytest.mark.parametrize("encode", [fast.encode, writing.encode], ids=["fast", "writing"])
@pytest.mark.rule("JSN-002", "JSN-004", "JSN-005", "JSN-006")
@pytest.mark.rule("FRM-001", "FRM-002", "FRM-003", "FRM-004", "FRM-005", "FRM-006")
def test_a_frame_is_one_line_that_means_what_was_sent(encode: Callable[..., bytes]) -> None:
    seen: set[str] = set()

    @settings(max_examples=400)
    @given(message=MESSAGES)
    def check(message: object) -> None:
        seen.update(kinds(message))
        frame = encode(message)
        assert frame.index(b"\n") == len(frame) - 1 > 0
        assert not {*b"\r\0"} & {*frame}
        assert not frame.decode().startswith("\ufeff")
        assert flat(exact.decode(frame[:-1]), javascript_scalar) == flat(message, sent_scalar)

    check()
    assert seen >= MESSAGE_KINDS


@settings(max_examples=30)
@given(st.integers(1, 3000), st.sampled_from([list, tuple]), st.booleans())
def test_both_paths_write_deep_messages_alike(depth: int, kind: type[Any], valid: bool) -> None:
    message: Any = "\ud800" if valid else b""
    for _ in range(depth):
        message = kind([{"a": message}])
    found = encoded(fast.encode, message, False)
    assert found == encoded(writing.encode, message, False)
    assert isinstance(found, list) == valid


def many_encoded(
    encode_many: Callable[..., list[bytes]], messages: list[object]
) -> list[Tokens] | tuple[str, str]:
    try:
        frames = b"".join(encode_many(messages)).splitlines()
    except InvalidMessage as error:
        return error.reason, error.path
    return [flat(exact.decode(frame), javascript_scalar) for frame in frames]


@settings(max_examples=200)
@given(st.lists(MIXED_MESSAGES, max_size=5))
def test_many_messages_are_written_as_one_by_one(messages: list[object]) -> None:
    one_by_one: list[Any] | tuple[str, str] = []
    for index, message in enumerate(messages):
        found = encoded(fast.encode, message, False)
        if isinstance(found, tuple):
            one_by_one = found[0], f"$[{index}]{found[1][1:]}"
            break
        one_by_one.append(found)  # type: ignore[union-attr]
    assert many_encoded(fast.encode_many, messages) == one_by_one
    assert many_encoded(writing.encode_many, messages) == one_by_one


@settings(max_examples=300)
@given(st.lists(LINES, max_size=5))
def test_many_lines_are_read_as_one_by_one(lines: list[bytes]) -> None:
    one_by_one = [decoded(exact.decode, line) for line in lines]
    if any(isinstance(found, tuple) for found in one_by_one):
        for decode_lines in (fast.decode_lines, exact.decode_lines):
            with pytest.raises(InvalidJson):
                decode_lines(lines)
    else:
        for decode_lines in (fast.decode_lines, exact.decode_lines):
            assert [flat(value, python_scalar) for value in decode_lines(lines)] == one_by_one


def test_a_negative_zero_among_many_lines_is_kept() -> None:
    assert [str(value) for value in fast.decode_lines([b"1", b"-0", b"[-0.5]"])] == ["1", "-0.0", "[-0.5]"]
