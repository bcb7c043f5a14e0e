"""Breaks `peer.py` in many small ways, each by itself, and tells which case notices. It fails when no case does.

`python conformance/carriers/broken_peers.py` runs all.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from run import HERE, Subject, carry_out, load_cases

PEER = (HERE / "peer.py").read_text("utf-8")


class Mutant(NamedTuple):
    """A fault of a peer: a text of its source that stands there, and the text in its place."""

    name: str
    carrier: str
    old: str
    new: str


LINES_FEED = "                yield attempt(line)\n"
LINES_END = "        if self.rest.strip(BLANK):\n            yield None\n"
HEADERS_END = "        if self.length is not None or self.rest.strip(BLANK):\n"
BODY = "                yield attempt(body)\n"
LENGTH = 'rb"content-length[ \\t]*:[ \\t]*([0-9]+)[ \\t]*", line, re.IGNORECASE'
FRAME = 'b"Content-Length: %d\\r\\n\\r\\n%s" % (len(body), body)'
EVENT = "            yield [as_event(found[0])] if found and is_event(found[0]) else None\n"
LAST = "            self.length = int(found[1])\n        elif found := re.search"

MUTANTS = [
    Mutant(
        "a line ends at other separators too",
        "lines",
        LINES_FEED,
        '                yield from (attempt(p.encode()) for p in line.decode("utf-8", "replace").splitlines())\n',
    ),
    Mutant("a blank line is a fault", "lines", "if line.strip(BLANK):", "if True:"),
    Mutant("only an empty line is blank", "lines", "if line.strip(BLANK):", "if line:"),
    Mutant(
        "a fault ends it",
        "lines",
        LINES_FEED,
        LINES_FEED + "                if not attempt(line): sys.exit()\n",
    ),
    Mutant(
        "a fault is silent", "lines", LINES_FEED, "                if attempt(line): yield attempt(line)\n"
    ),
    Mutant("the rest of a read is lost", "lines", "self.rest += data", "self.rest = data"),
    Mutant("one message a read", "lines", LINES_FEED, LINES_FEED + "                return\n"),
    Mutant(
        "a line without its end is a message",
        "lines",
        LINES_END,
        "        if self.rest.strip(BLANK):\n            yield attempt(self.rest)\n",
    ),
    Mutant("a line without its end is nothing", "lines", LINES_END, "        return\n        yield None\n"),
    Mutant(
        "white space at the end is a fault",
        "lines",
        LINES_END,
        "        if self.rest:\n            yield None\n",
    ),
    Mutant("NaN is a number", "lines", "parse_constant=refuse", "parse_constant=str"),
    Mutant(
        "line separators stay",
        "lines",
        '.replace("\\u2028", "\\\\u2028").replace("\\u2029", "\\\\u2029")',
        "",
    ),
    Mutant("one of two separators stays", "lines", '.replace("\\u2029", "\\\\u2029")', ""),
    Mutant("blanks are written", "lines", 'separators=(",", ":")', 'separators=(", ", ": ")'),
    Mutant("a carriage return is written", "lines", 'dump(value) + b"\\n"', 'dump(value) + b"\\r\\n"'),
    Mutant("no line feed is written", "lines", 'dump(value) + b"\\n"', "dump(value)"),
    Mutant("a blank line is written", "lines", 'dump(value) + b"\\n"', 'dump(value) + b"\\n\\n"'),
    Mutant("bytes are Latin-1", "lines", 'text.decode("utf-8", "replace")', 'text.decode("latin-1")'),
    Mutant(
        "null becomes an object",
        "lines",
        '{"seen": found[0]}',
        '{"seen": found[0] if found[0] is not None else {}}',
    ),
    Mutant("a fault is null", "lines", '{"error": True} if', '{"seen": None} if'),
    Mutant(
        "a hundred messages a read", "lines", "in framing.feed(data):", "in list(framing.feed(data))[:100]:"
    ),
    Mutant("the end is not looked at", "lines", "in framing.end():", "in ():"),
    Mutant(
        "numbers are whole",
        "lines",
        "parse_constant=refuse",
        "parse_constant=refuse, parse_float=lambda t: int(float(t))",
    ),
    Mutant("a read is short", "lines", "os.read(0, 65536)", "os.read(0, 65536)[:1000]"),
    Mutant("the length counts characters", "headers", "(len(body), body)", "(len(body.decode()), body)"),
    Mutant("line feeds alone are written", "headers", FRAME, FRAME.replace("\\r", "")),
    Mutant("a line feed behind the body is written", "headers", FRAME, FRAME.replace('%s"', '%s\\n"')),
    Mutant("a type is written", "headers", FRAME, FRAME.replace("%d", "%d\\r\\nContent-Type: x")),
    Mutant(
        "names have one case",
        "headers",
        LENGTH,
        LENGTH.replace("content-length", "Content-Length").replace("re.IGNORECASE", "0"),
    ),
    Mutant("the first length counts", "headers", LAST, LAST.replace("= int", "= self.length or int")),
    Mutant(
        "an unknown header is a fault",
        "headers",
        'elif not re.fullmatch(rb"[A-Za-z-]+[ \\t]*:.*", line) or',
        "elif True or",
    ),
    Mutant(
        "line feeds alone end no header",
        "headers",
        'elif b"\\n" in self.rest:\n                line, self.rest = self.rest.split(b"\\n", 1)',
        'elif b"\\r\\n" in self.rest:\n                line, self.rest = self.rest.split(b"\\r\\n", 1)',
    ),
    Mutant("a header behind text is not found", "headers", 'rb"Content-Length: ([0-9]+)$"', 'rb"$^"'),
    Mutant(
        "a bad body ends it", "headers", BODY, BODY + "                if not attempt(body): sys.exit()\n"
    ),
    Mutant("a bad length is silent", "headers", ' or line.lower().startswith(b"content-length")', ""),
    Mutant(
        "a byte behind the body is lost",
        "headers",
        "self.rest[self.length :]",
        "self.rest[self.length + 1 :]",
    ),
    Mutant(
        "a body waits for a byte more",
        "headers",
        "len(self.rest) < self.length",
        "len(self.rest) <= self.length",
    ),
    Mutant(
        "a body without its end is nothing",
        "headers",
        HEADERS_END,
        "        if self.length is None and self.rest.strip(BLANK):\n",
    ),
    Mutant(
        "a header without its end is nothing", "headers", HEADERS_END, "        if self.length is not None:\n"
    ),
    Mutant(
        "a blank line between messages is a fault",
        "headers",
        "        if not line:\n",
        "        if not line and self.length is not None:\n",
    ),
    Mutant("a blank must follow the colon", "headers", ":[ \\t]*([0-9]+)", ": ([0-9]+)"),
    Mutant("bytes that are no UTF-8 are a fault", "headers", '"utf-8", "replace"', '"utf-8"'),
    Mutant("the rest of a read is lost", "headers", "self.rest += data", "self.rest = data"),
    Mutant("a line feed ends a frame", "node-ipc", '"data": value}) + b"\\f"', '"data": value}) + b"\\n"'),
    Mutant("nothing ends a frame", "node-ipc", '"data": value}) + b"\\f"', '"data": value})'),
    Mutant(
        "data stands before type",
        "node-ipc",
        '{"type": "answer", "data": value}',
        '{"data": value, "type": "answer"}',
    ),
    Mutant("any value is a type", "node-ipc", ' and isinstance(value.get("type"), str)', ""),
    Mutant("any value is an event", "node-ipc", "isinstance(value, dict) and ", ""),
    Mutant("an inherited name is refused", "node-ipc", "not in NEWS", 'not in (*NEWS, "constructor")'),
    Mutant("null becomes an object", "node-ipc", 'value.get("data")', '(value.get("data") or {})'),
    Mutant(
        "a blank frame is nothing",
        "node-ipc",
        "            found = attempt(frame)\n",
        "            if not frame: continue\n            found = attempt(frame)\n",
    ),
    Mutant(
        "a fault ends the connection", "node-ipc", EVENT, EVENT + "            if not found: sys.exit()\n"
    ),
    Mutant(
        "a fault is silent",
        "node-ipc",
        EVENT,
        "            if found and is_event(found[0]): yield [as_event(found[0])]\n",
    ),
    Mutant("one event a read", "node-ipc", EVENT, EVENT + "            return\n"),
    Mutant("the rest of a read is lost", "node-ipc", "self.rest += data", "self.rest = data"),
    *(
        Mutant(f"{name} is an event", "node-ipc", f'"{name}"', '"-"')
        for name in ("start", "connect", "disconnect", "destroy", "close", "socket.disconnected")
    ),
]


def killer(mutant: Mutant) -> str | None:
    """Return the first case that notices, None if no case does."""
    if mutant.old not in PEER:
        raise ValueError(f"{mutant.name}: peer.py has no {mutant.old!r}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "peer.py"
        path.write_text(PEER.replace(mutant.old, mutant.new), "utf-8")
        subject = Subject(mutant.name, mutant.carrier, [sys.executable, str(path), mutant.carrier], {}, {})
        for case in load_cases(mutant.carrier):
            if carry_out(case, subject) is not None:
                return str(case["id"])
    return None


def main() -> int:
    """Run all; return the exit status."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        killers = list(pool.map(killer, MUTANTS))
    for mutant, case in zip(MUTANTS, killers, strict=True):
        print(f"{mutant.carrier}: {mutant.name}: {case or 'SURVIVES'}")
    return killers.count(None)


if __name__ == "__main__":
    sys.exit(main())
