"""Node and the reference accept the language of the grammar in `spec/20-framing.md`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import pytest

from nodechannel._json import exact
from nodechannel.errors import InvalidJson
from support.node import ROOT, node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Where a part of the grammar can end, given a text and where it begins.
Matcher: TypeAlias = "Callable[[bytes, int], Iterator[int]]"

_TOKEN = re.compile(
    r'\s*(?:(%x[0-9A-F]{2}(?:-[0-9A-F]{2})?)|(?:%s)?"([^"]*)"|((?:\d+)?\*(?:\d+)?|\d+(?=[A-Za-z(%]))|([A-Za-z][\w-]*)|([()\[\]/]))'
)


class Grammar:
    """A small interpreter of RFC 5234, for bytes."""

    def __init__(self, text: str) -> None:
        self._rules: dict[str, Matcher] = {}
        for line in text.splitlines():
            name, equals, body = re.sub(r"\s;.*", "", line).partition(" = ")
            if equals:
                self._rules[name.strip()] = _Parser(self, body).whole()

    def rule(self, name: str) -> Matcher:
        """Return a rule that may be defined later."""

        def later(text: bytes, at: int) -> Iterator[int]:
            return self._rules[name](text, at)

        return later

    def accepts(self, name: str, text: bytes) -> bool:
        """Tell whether a whole text matches a rule."""
        return any(end == len(text) for end in self._rules[name](text, 0))

    @cached_property
    def names(self) -> set[str]:
        """The names of all rules."""
        return set(self._rules)


class _Parser:
    def __init__(self, grammar: Grammar, body: str) -> None:
        self._grammar = grammar
        self._tokens = []
        at = 0
        body = body.rstrip()
        while at < len(body):
            found = _TOKEN.match(body, at)
            assert found, f"not ABNF: {body[at:]}"
            self._tokens.append(found.groups())
            at = found.end()

    def whole(self) -> Matcher:
        matcher = self._alternation()
        assert not self._tokens
        return matcher

    def _next_is(self, *signs: str) -> bool:
        return bool(self._tokens) and self._tokens[0][4] in signs

    def _alternation(self) -> Matcher:
        branches = [self._concatenation()]
        while self._next_is("/"):
            self._tokens.pop(0)
            branches.append(self._concatenation())
        return lambda text, at: (end for branch in branches for end in branch(text, at))

    def _concatenation(self) -> Matcher:
        parts = []
        while self._tokens and not self._next_is("/", ")", "]"):
            parts.append(self._repetition())

        def match(text: bytes, at: int, index: int = 0) -> Iterator[int]:
            if index == len(parts):
                yield at
                return
            for end in parts[index](text, at):
                yield from match(text, end, index + 1)

        return match

    def _repetition(self) -> Matcher:
        count = self._tokens[0][2]
        if count is None:
            return self._element()
        self._tokens.pop(0)
        low, star, high = count.partition("*")
        least = int(low or 0)
        most = int(high) if high else (None if star else least)
        element = self._element()

        def match(text: bytes, at: int) -> Iterator[int]:
            # Greedy and without recursion; a repeated element of this grammar consumes at least a byte.
            ends = [{at}]
            while ends[-1] and (most is None or len(ends) <= most):
                ends.append({end for start in ends[-1] for end in element(text, start) if end > start})
            for found in reversed(ends[least:]):
                yield from found

        return match

    def _element(self) -> Matcher:
        code, literal, _, name, sign = self._tokens.pop(0)
        if code:
            first, _, last = code[2:].partition("-")
            low, high = int(first, 16), int(last or first, 16)
            return lambda text, at: iter([at + 1] if at < len(text) and low <= text[at] <= high else [])
        if literal is not None:
            wanted = literal.encode()
            return lambda text, at: iter([at + len(wanted)] if text.startswith(wanted, at) else [])
        if name:
            return self._grammar.rule(name)
        inner = self._alternation()
        self._tokens.pop(0)
        if sign == "(":
            return inner

        def optional(text: bytes, at: int) -> Iterator[int]:
            yield from inner(text, at)
            yield at

        return optional


PROSE = (ROOT / "spec" / "20-framing.md").read_text("utf-8")
SOURCE = PROSE.partition("```abnf\n")[2].partition("```")[0]
GRAMMAR = Grammar(SOURCE)

ACCEPTED = [
    b"{}", b"[]", b"0", b"-0", b"10", b"-1.5e+3", b"1E2", b"true", b"false", b"null", b'""', b'"a"', b" 1 ", b"\t1\r",
    b'{"a":1}', b'{ "a" : 1 , "b" : [ ] }', b"[1,2,[3,{}]]", b'"\\u00e9\\n\\/\\"\\\\"', b'"\\ud800"', b'"\xc3\xa9"', b'"\x7f"',
    b'"\xe2\x80\xa8"', b'"\xf0\x9f\x98\x80"', b'{"":{}}', b'"\xf4\x8f\xbf\xbf"', b'"\xed\x9f\xbf"', b"[ ]", b"{ }",
]  # fmt: skip
REJECTED = [
    b"", b" ", b"\r", b"{", b"}", b"[1,]", b'{"a":1,}', b"{a:1}", b"'a'", b"01", b"1.", b".5", b"+1", b"1e", b"NaN", b"Infinity",
    b"-Infinity", b"undefined", b"True", b"TRUE", b"nul", b"1 2", b"{}{}", b'"', b'"\t"', b'"\x00"', b'"\x1f"', b'"\\x"', b'"\\u12"',
    b"\x00", b"\xef\xbb\xbf1", b"\x0b1", b"\xc2\xa01", b"// a", b"[1", b"-", b'{"a"}', b'{"a":}', b"[,1]", b'"\\',
]  # fmt: skip
# Not of the grammar, yet a receiver puts U+FFFD in their place.
REPLACED = [b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xe2\x82"', b'"\xf4\x90\x80\x80"', b'"\x80"']


def reference_accepts(line: bytes) -> bool:
    try:
        exact.decode(line)
    except InvalidJson:
        return False
    return True


def node_accepts(lines: list[bytes]) -> list[bool]:
    program = """const lines = JSON.parse(require('fs').readFileSync(0));
        const good = (line) => { try { JSON.parse(Buffer.from(line, 'hex').toString()); return true; } catch { return false; } };
        console.log(JSON.stringify(lines.map(good)));"""
    sent = json.dumps([line.hex() for line in lines])
    run = subprocess.run([node(), "-e", program], input=sent, capture_output=True, text=True, check=True)
    found: list[bool] = json.loads(run.stdout)
    return found


def test_every_name_is_defined_and_used() -> None:
    bodies = " ".join(line.partition(" = ")[2] for line in re.sub(r"\s;.*", "", SOURCE).splitlines())
    used = set(re.findall(r"[A-Za-z][A-Za-z0-9-]*", re.sub(r'%x[0-9A-F-]+|%s|"[^"]*"', " ", bodies)))
    assert used | {"stream"} == GRAMMAR.names


@pytest.mark.parametrize("line", ACCEPTED, ids=repr)
def test_accepted(line: bytes) -> None:
    assert GRAMMAR.accepts("line", line)
    assert reference_accepts(line)


@pytest.mark.parametrize("line", REJECTED, ids=repr)
def test_rejected(line: bytes) -> None:
    assert not GRAMMAR.accepts("line", line)
    assert not reference_accepts(line)


@pytest.mark.parametrize("line", REPLACED, ids=repr)
def test_not_utf8(line: bytes) -> None:
    assert not GRAMMAR.accepts("line", line)
    assert reference_accepts(line)


def test_node_agrees() -> None:
    assert node_accepts(ACCEPTED) == [True] * len(ACCEPTED)
    assert node_accepts(REJECTED) == [False] * len(REJECTED)
    assert node_accepts(REPLACED) == [True] * len(REPLACED)


def test_the_two_readings_of_random_lines_agree() -> None:
    """Lines of a few bytes that matter, all of them up to four."""
    alphabet = [
        b"1",
        b"0",
        b"-",
        b".",
        b"e",
        b'"',
        b"[",
        b"]",
        b",",
        b"{",
        b"}",
        b":",
        b" ",
        b"\xc3",
        b"\xa9",
    ]
    lines = [b""]
    for _ in range(3 if sys.gettrace() else 4):
        lines += [line + byte for line in lines for byte in alphabet if len(line) < 4]
    for line in sorted(set(lines)):
        try:
            line.decode()
        except UnicodeDecodeError:
            assert not GRAMMAR.accepts("line", line), line
        else:
            assert GRAMMAR.accepts("line", line) == reference_accepts(line), line


def test_a_stream_is_lines_and_perhaps_a_beginning() -> None:
    for text in (b"", b"1\n", b"1\n2\n", b'1\n{"a', b"half", b"\x00"):
        assert GRAMMAR.accepts("stream", text)
    for text in (b"\n", b"1\n\n", b"bad\n", b"1\nbad\n2\n", b"1 2\n"):
        assert not GRAMMAR.accepts("stream", text)
