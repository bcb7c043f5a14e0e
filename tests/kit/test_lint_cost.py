"""The cost of hostile lines grows with their length and not with its square. The bytes that are read are counted, and no time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelkit.lint import lines
from channelkit.wire.values import parse
from support.recordings import Act, broken, c

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 4000
LINES: dict[str, tuple[str, Callable[[int], tuple[Act, ...]]]] = {
    "nested arrays": ("JSN-001", lambda count: (c(b"[" * count + b"\n"),)),
    "nested objects": ("JSN-001", lambda count: (c(b'{"a":' * count + b"\n"),)),
    "brackets back to back": ("JSN-001", lambda count: (c(b"{]" * count + b"\n"),)),
    "strings back to back": ("JSN-001", lambda count: (c(b'["' * count + b"\n"),)),
    "a line for each bracket": ("JSN-001", lambda count: (c(b"[\n" * count),)),
}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The characters of each text that the lint has parsed."""
    sizes: list[int] = []

    def counted(text: str) -> object:
        sizes.append(len(text))
        return parse(text)

    monkeypatch.setattr(lines, "parse", counted)
    return sizes


@pytest.mark.parametrize("kind", LINES)
def test_twice_the_length_is_twice_the_cost(parsed: list[int], kind: str) -> None:
    rule, made = LINES[kind]
    costs = []
    for count in (LONG, 2 * LONG):
        parsed.clear()
        assert rule in broken(*made(count))
        costs.append(sum(parsed))
    assert costs[1] <= 2.5 * costs[0]


def test_lines_that_each_might_end_a_message_are_read_a_limited_number_of_times(
    monkeypatch: pytest.MonkeyPatch, parsed: list[int]
) -> None:
    monkeypatch.setattr(lines, "_MOST_REREAD", 100_000)
    assert "JSN-001" in broken(c(b"{x}\n" * LONG))
    assert sum(parsed) < LONG**2  # all lines together, for each line, are eight times as many bytes


def test_a_string_without_an_end_is_searched_once() -> None:
    # Each match goes on where the last one ended, so one match is one reading.
    assert len(lines._STRING.findall(b'"' + b'\\"' * LONG)) == 1


def test_long_numbers_in_strings_are_passed_over() -> None:
    number = b"9007199254740993"
    assert broken(c(b'["' + number + b'",1]\n')) == set()
    assert broken(c(b'["a",' + number + b"]\n")) == {"JSN-007"}
    assert broken(c(b"[" + b"9" * 5000 + b"]\n")) <= {"JSN-007"}


def test_a_message_of_several_lines_is_found_among_many() -> None:
    assert "FRM-002" in broken(c(b'{"a":[\n' + b"{},\n" * 100 + b"{}]}\n"))
