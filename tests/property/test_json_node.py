"""A real Node reads the same values from the same lines, and reads every encoded value."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channelkit.runtimes.node import find_node
from nodechannel._json.codec import decode, encode
from nodechannel.errors import InvalidJson
from property.jsonvalues import LINES, MESSAGES, flat, javascript_scalar, sent_scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

# Reads lines in hex; answers each with the tokens of its value, as `flat` makes them, or with null.
# The lines go through StringDecoder and JSON.parse, as those of Node's channel do.
SCRIPT = r"""
const { StringDecoder } = require('string_decoder');
const utf16 = (text) => Buffer.from(text, 'utf16le').swap16().toString('hex');
function number(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return 'number ' + bytes.toString('hex');
}
class Token { constructor(text) { this.text = text; } }
function flat(value) {
  const tokens = [], todo = [value];
  while (todo.length > 0) {
    const item = todo.pop();
    if (item instanceof Token) tokens.push(item.text);
    else if (typeof item === 'string') tokens.push('string ' + utf16(item));
    else if (typeof item === 'number') tokens.push(number(item));
    else if (Array.isArray(item)) {
      todo.push(new Token(']'));
      for (let i = item.length - 1; i >= 0; i--) todo.push(item[i]);
      todo.push(new Token('['));
    } else if (item !== null && typeof item === 'object') {
      const members = Object.keys(item).map((key) => [utf16(key), item[key]]);
      members.sort((a, b) => a[0] < b[0] ? 1 : -1);
      todo.push(new Token('}'));
      for (const [name, member] of members) todo.push(member, new Token('key ' + name));
      todo.push(new Token('{'));
    } else tokens.push(String(item));
  }
  return tokens;
}
function answer(line) {
  const text = new StringDecoder('utf8').write(Buffer.concat([line, Buffer.from('\n')]));
  try {
    return flat(JSON.parse(text.slice(0, -1)));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(JSON.stringify(JSON.parse(line).map((hex) => answer(Buffer.from(hex, 'hex')))) + '\n');
});
"""


class Oracle:
    """A Node process that parses lines."""

    def __init__(self, into: IO[str], out_of: IO[str]) -> None:
        self._into = into
        self._out_of = out_of

    def ask(self, lines: list[bytes]) -> list[list[str] | None]:
        """Return for each line the flat form of its value, None where Node refuses it."""
        self._into.write(json.dumps([line.hex() for line in lines]) + "\n")
        self._into.flush()
        answers: list[list[str] | None] = json.loads(self._out_of.readline())
        assert len(answers) == len(lines)
        return answers


@contextmanager
def running_node() -> Iterator[Oracle]:
    node = find_node()
    if node is None:
        pytest.skip("no Node was found")
    with subprocess.Popen(
        [node.path, "-e", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Oracle(process.stdin, process.stdout)
        process.stdin.close()
        assert process.wait(30) == 0


def read(line: bytes) -> list[str] | None:
    try:
        return flat(decode(line), javascript_scalar)
    except InvalidJson:
        return None


@pytest.mark.rule("FRM-025", "FRM-028", "JSN-020", "JSN-021", "JSN-022", "JSN-023", "JSN-024", "JSN-025")
@pytest.mark.rule("JSN-026", "JSN-027", "JSN-028", "JSN-030")
def test_a_line_is_read_as_node_reads_it() -> None:
    accepted = refused = 0
    with running_node() as oracle:

        @settings(max_examples=200)
        @given(st.lists(LINES, min_size=1, max_size=20))
        def check(drawn: list[bytes]) -> None:
            nonlocal accepted, refused
            lines = [variant for line in drawn for variant in variants(line)]
            for line, answer in zip(lines, oracle.ask(lines), strict=True):
                accepted += answer is not None
                refused += answer is None
                assert read(line) == answer, line

        check()
    assert accepted > 1000
    assert refused > 1000


def variants(line: bytes) -> Iterator[bytes]:
    """Return the line, and the line with a byte left out or without its end."""
    yield line
    for at in range(0, len(line), 1 + len(line) // 10):
        yield line[:at] + line[at + 1 :]
        yield line[:at]


@pytest.mark.rule("JSN-001", "JSN-005", "JSN-006")
def test_node_reads_what_was_sent() -> None:
    with running_node() as oracle:

        @settings(max_examples=100)
        @given(st.lists(MESSAGES, min_size=1, max_size=20))
        def check(messages: list[object]) -> None:
            answers = oracle.ask([encode(message)[:-1] for message in messages])
            for message, answer in zip(messages, answers, strict=True):
                assert answer == flat(message, sent_scalar)

        check()


@pytest.mark.rule("JSN-029")
def test_node_reads_a_hundred_thousand_levels_too() -> None:
    depth = 100_000
    line = b'[{"a":' * depth + b"-0" + b"}]" * depth
    with running_node() as oracle:
        assert oracle.ask([line]) == [read(line)]
