"""Lines come out whole, in order and once, however the stream was cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodechannel._core.outbox import BLOCK_SIZE
from nodechannel._json.framing import LONGEST_LINE, LineFramer, blocks
from nodechannel.errors import SerializationMismatch


@pytest.mark.rule("FRM-020")
def test_a_chunk_of_whole_lines_gives_them_in_order() -> None:
    framer = LineFramer()
    assert framer.feed(b'"a"\n"b"\n\n"c"\n') == [b'"a"', b'"b"', b"", b'"c"']
    assert framer.buffered == 0


@pytest.mark.rule("FRM-020")
def test_an_unfinished_line_waits_for_its_line_feed() -> None:
    framer = LineFramer()
    assert framer.feed(b"ab") == []
    assert framer.buffered == 2
    assert framer.feed(b"c") == []
    assert framer.buffered == 3
    assert framer.feed(b"d\nnext") == [b"abcd"]
    assert framer.buffered == 4
    assert framer.feed(b"\n") == [b"next"]
    assert framer.buffered == 0


@pytest.mark.rule("FRM-022")
def test_a_character_that_was_cut_is_joined() -> None:
    framer = LineFramer()
    first, second = "\N{EURO SIGN}".encode()[:1], "\N{EURO SIGN}".encode()[1:]
    assert framer.feed(first) == []
    assert framer.feed(second + b"\n") == ["\N{EURO SIGN}".encode()]


def test_other_line_separators_are_ordinary_bytes() -> None:
    data = b"a\rb\x0bc\x0cd\x1ce\xc2\x85f\xe2\x80\xa8g\x00\r"
    assert LineFramer().feed(data + b"\n") == [data]


def test_an_empty_chunk_changes_nothing() -> None:
    framer = LineFramer()
    framer.feed(b"ab")
    assert framer.feed(b"") == []
    assert framer.buffered == 2


def test_by_default_a_line_may_be_as_long_as_a_string_of_v8() -> None:
    assert LineFramer().max_line == LONGEST_LINE == 2**29 - 24


def test_a_line_of_exactly_the_limit_is_accepted() -> None:
    framer = LineFramer(max_line=4)
    assert framer.feed(b"abcd\n") == [b"abcd"]
    assert framer.feed(b"ab") == []
    assert framer.feed(b"cd") == []
    assert framer.feed(b"\nefgh\nijkl\n") == [b"abcd", b"efgh", b"ijkl"]
    assert framer.error is None


@pytest.mark.parametrize(
    "chunks", [[b"abcde\n"], [b"abcde"], [b"abcd", b"e"], [b"ab", b"cde\n"], [b"abcd", b"e\n"]]
)
@pytest.mark.rule("FRM-030")
def test_a_longer_line_is_refused_even_before_its_end(chunks: list[bytes]) -> None:
    framer = LineFramer(max_line=4)
    for chunk in chunks[:-1]:
        assert framer.feed(chunk) == []
    assert framer.feed(chunks[-1]) == []
    assert framer.error is not None


@pytest.mark.rule("FRM-027", "FRM-030")
@given(st.lists(st.sampled_from([2, 4095, 4096, 20_000, BLOCK_SIZE, BLOCK_SIZE + 1]), max_size=12))
def test_frames_are_joined_to_blocks_and_long_ones_not_copied(sizes: list[int]) -> None:
    frames = [bytes([number]) * size for number, size in enumerate(sizes)]
    found = blocks(frames)
    assert found
    assert b"".join(found) == b"".join(frames)
    if frames and len(frames[0]) >= 4096:
        for block in found:
            assert len(block) <= BLOCK_SIZE or any(block is frame for frame in frames)
        for one, other in itertools.pairwise(found):
            assert len(one) + len(other) > BLOCK_SIZE


def test_lines_before_the_long_one_are_returned_first() -> None:
    framer = LineFramer(max_line=4)
    framer.feed(b"a")
    assert framer.feed(b"b\ncd\nefghi\njk\n") == [b"ab", b"cd"]
    assert framer.error is not None
    assert framer.feed(b"\nlm\n") == []


def test_nothing_is_read_after_a_long_line() -> None:
    framer = LineFramer(max_line=4)
    framer.feed(b"abc")
    for chunk in (b"de\nok\n", b"ok\n", b""):
        assert framer.feed(chunk) == []
    assert framer.error is not None
    assert framer.buffered == 0


@pytest.mark.rule("ADV-071")
@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_peer_that_speaks_advanced_is_recognised(size: int) -> None:
    framer = LineFramer()
    stream = b"1\n" + bytes.fromhex("00000003 ff0f30")
    lines = [
        bytes(line) for at in range(0, len(stream), size) for line in framer.feed(stream[at : at + size])
    ]
    assert lines == [b"1"]
    assert isinstance(framer.error, SerializationMismatch)
    assert "'advanced'" in str(framer.error)


@pytest.mark.rule("ADV-071")
@pytest.mark.parametrize(
    "start", ["0000000aff0d2206", "0a000000ff0d5c00", "010a0000ff0f5c00", "1f000000ff0f5c00"]
)
def test_a_frame_is_recognised_however_long_it_is(start: str) -> None:
    """Its length may have a line feed in it; only one that begins with white space can be a line of JSON."""
    framer = LineFramer()
    framer.feed(bytes.fromhex(start) + b"a\nb")
    assert isinstance(framer.error, SerializationMismatch) is not start.startswith("0a")


@pytest.mark.parametrize("data", [b"", b"a", b"a\nb", b"\n" * 9])
def test_whole_leaves_to_feed_what_is_more_than_whole_lines(data: bytes) -> None:
    framer = LineFramer(max_line=8)
    assert framer.whole(data) == []
    assert framer.buffered == 0


def test_whole_returns_whole_lines_and_changes_nothing() -> None:
    framer = LineFramer()
    assert framer.whole(b"a\n\nb\n") == framer.feed(b"a\n\nb\n") == [b"a", b"", b"b"]
    framer.feed(b"begun")
    assert framer.whole(b"a\n") == []
    assert framer.feed(b"\n") == [b"begun"]
