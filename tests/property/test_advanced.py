"""The two ways to read and to write agree, and Node's own v8 agrees with both."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import v8serialize
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.mutations import broken, examine
from nodechannel._advanced import fastread, fastwrite, read, write
from nodechannel._advanced.decode import decode
from nodechannel._advanced.encode import encode
from nodechannel._advanced.malformed import Malformed
from nodechannel.errors import InvalidFrame
from property.jsvalues import MESSAGES, NUMBERS, TEXTS, broken_frames, shape
from support.advanced import LENGTH, NodeEnd, node_end

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = settings(
    max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None
)


@pytest.fixture(scope="module")
def end() -> Iterator[NodeEnd]:
    with node_end() as end:
        yield end


def test_the_codec_is_compiled_only_where_that_was_asked_for() -> None:
    """`make compiled` runs these tests on a compiled codec, each other command on the definition."""
    compiled = {Path(str(module.__file__)).suffix != ".py" for module in (fastread, fastwrite)}
    assert compiled == {"NODECHANNEL_COMPILED" in os.environ}


@LONG
@given(MESSAGES)
def test_a_message_comes_back_from_its_frame(message: Any) -> None:
    assert shape(decode(encode(message)[LENGTH:])) == shape(message)


@LONG
@given(MESSAGES)
def test_the_fast_writer_agrees_or_declines(message: Any) -> None:
    frame = write.write(message)
    try:
        assert fastwrite.write(message) == frame
    except fastwrite.FAILURES:
        assert encode(message) == frame


@LONG
@given(broken_frames())
def test_the_fast_reader_agrees_or_declines(frame: bytes) -> None:
    try:
        found = fastread.read(frame)
    except fastread.FAILURES:
        return
    assert shape(found) == shape(read.read(frame))


@LONG
@given(broken_frames())
def test_a_broken_frame_is_read_or_refused_with_a_typed_error(frame: bytes) -> None:
    try:
        value = decode(frame)
    except InvalidFrame:
        with pytest.raises(Malformed):
            read.read(frame)
    else:
        assert shape(decode(encode(value)[LENGTH:])) == shape(value)


def test_thousands_of_broken_frames_have_a_value_or_a_typed_error() -> None:
    """`make fuzz` looks at millions."""
    for frame in islice(broken(seed=1), 3000):
        examine(frame)


@LONG
@given(message=MESSAGES)
def test_node_sends_back_what_it_was_sent(end: NodeEnd, message: Any) -> None:
    message = [message]
    frame = encode(message)[LENGTH:]
    echoed = end.echoes(frame)
    assert end.same(frame, encode(decode(echoed))[LENGTH:])


# Values that v8serialize has the same types for as the reference.
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def plain(value: Any) -> Any:
    """Return a value of v8serialize with Python's own containers."""
    if isinstance(value, v8serialize.jstypes.JSArray):
        return [plain(element) for element in value.array.elements().values()]
    if isinstance(value, v8serialize.jstypes.JSObject):
        return {str(name): plain(member) for name, member in value.items()}
    return value


@LONG
@given(PLAIN)
def test_v8serialize_reads_what_the_reference_writes(message: Any) -> None:
    assert shape(plain(v8serialize.loads(encode(message)[LENGTH:]))) == shape(message)


@LONG
@given(PLAIN)
def test_the_reference_reads_what_v8serialize_writes(message: Any) -> None:
    # A list of v8serialize arrives as an array, a dict as a Map: its own types are those of JavaScript.
    def javascript(value: Any) -> Any:
        if isinstance(value, list):
            return v8serialize.jstypes.JSArray(map(javascript, value))
        if isinstance(value, dict):
            return v8serialize.jstypes.JSObject({name: javascript(member) for name, member in value.items()})
        return value

    assert shape(decode(v8serialize.dumps(javascript(message)))) == shape(message)


# Values that only some versions of Node read, and patterns that V8 cannot compile.
ONLY_SOME = ("BYTES_PER_ELEMENT", "type index", "SyntaxError")


@LONG
@given(frame=broken_frames())
def test_node_reads_what_the_reference_reads(end: NodeEnd, frame: bytes) -> None:
    try:
        value = decode(frame)
    except InvalidFrame:
        return
    answer = end.reads(frame)
    if "error" in answer:
        assert (
            any(text in answer["error"] for text in ONLY_SOME)
            or b"r" in frame
            or b"R" in frame
            or b"~" in frame
        ), answer
    else:
        assert end.same(frame, encode(value)[LENGTH:])
