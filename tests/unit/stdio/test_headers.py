"""The framing `headers`: headers, stray bytes, and the place where the stream goes on."""

from __future__ import annotations

import time

import pytest

from nodechannel import errors
from nodechannel._core.message import Message
from nodechannel._stdio.headers import HeadersFraming

ONE = b"Content-Length: 1\r\n\r\n1"
TWO = b"Content-Length: 1\r\n\r\n2"


def read(data: bytes, **options: int) -> list[object]:
    """Return the values of messages, and of each error its type, of a whole stream."""
    framing = HeadersFraming(options)  # type: ignore[arg-type]
    events = [*framing.feed(data), *framing.end()]
    return [event.data if isinstance(event, Message) else type(event) for event in events]


@pytest.mark.rule("STD-020", "STD-021")
def test_the_bytes_of_a_message():
    framing = HeadersFraming({})
    assert framing.frame({"a": "é"}) == b'Content-Length: 10\r\n\r\n{"a":"\xc3\xa9"}'
    assert b"".join(framing.frames([1, "\u2028"])) == ONE + b'Content-Length: 8\r\n\r\n"\\u2028"'


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        (b"content-LENGTH: 1\r\n\r\n", "STD-025"),
        (b"Content-Length:1\r\n\r\n", "STD-025"),
        (b"Content-Length \t: \t 1 \r\n\r\n", "STD-025"),
        (b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 1\r\n\r\n", "STD-022"),
        (b"Content-Length: 1\r\nX-Other: Content-Length: 5\r\n\r\n", "STD-022"),
        (b"Content-Length: 7\r\nContent-Length: 1\r\n\r\n", "STD-022"),
        (b"Content-Length: 1\n\n", "STD-023"),
        (b"\r\n\nContent-Length: 1\r\n\r\n", "STD-024"),
    ],
)
def test_headers_that_are_read(header, rule):
    assert rule.startswith("STD")
    assert read(header + b"1" + TWO) == [1, 2]


@pytest.mark.parametrize(
    ("stray", "found"),
    [
        (b"listening on port 80\n", [errors.InvalidHeader]),
        (b"no line feed", [errors.InvalidHeader]),
        (b"two\nlines\n", [errors.InvalidHeader] * 2),
        (b"Content-Length: x\r\n\r\n", [errors.InvalidHeader]),
        (b"Content-Length: -1\r\n\r\n", [errors.InvalidHeader]),
        (b"Content-Length: 99999999999999999999\r\n\r\n", [errors.InvalidHeader]),
        (b"Content-Type: text\r\n\r\n", [errors.InvalidHeader]),
        # The body of a message of unknown length.
        (b'Content-Length: x\r\n\r\n{"a":1}', [errors.InvalidHeader] * 2),
        (b"Content-Length: 2\r\n\r\n{]", [errors.InvalidJson]),
        (b"Content-Length: 0\r\n\r\n", [errors.InvalidJson]),
        # Too short: the end of the body is stray.
        (b'Content-Length: 2\r\n\r\n"abc"', [errors.InvalidJson, errors.InvalidHeader]),
        # A message as tsserver writes it: its length counts the line feed behind the text.
        (b"Content-Length: 2\r\n\r\n3\n", [3]),
    ],
)
@pytest.mark.rule("STD-015", "STD-024")
def test_the_next_message_is_found_behind_what_is_none(stray, found):
    assert read(ONE + stray + TWO) == [1, *found, 2]


@pytest.mark.parametrize("end", range(1, len(ONE)))
@pytest.mark.rule("STD-016")
def test_a_stream_that_ends_within_a_message(end):
    assert read(TWO + ONE[:end]) == [2, errors.TruncatedMessage]


@pytest.mark.rule("STD-017")
def test_limits():
    assert read(ONE + b"Content-Length: 101\r\n\r\n" + b"1" * 101, max_line=100) == [1, errors.FrameTooLong]
    assert read(ONE + b"x" * 101, max_line=100) == [1, errors.LineTooLong]
    assert read(ONE + b"x" * 101 + b"\n" + ONE, max_line=100) == [1, errors.LineTooLong]
    assert read(b'Content-Length: 100\r\n\r\n"' + b"x" * 98 + b'"', max_line=100) == ["x" * 98]


def seconds_for(count: int) -> float:
    framing = HeadersFraming({})
    body = b'"' + b"x" * (65536 * count - 2) + b'"'
    whole = b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    start = time.process_time()
    for at in range(0, len(whole), 65536):
        framing.feed(whole[at : at + 65536])
    return time.process_time() - start


def test_a_long_message_costs_time_in_proportion():
    seconds_for(16)
    assert min(seconds_for(512) for _ in range(3)) < 8 * 8 * min(seconds_for(64) for _ in range(3))
