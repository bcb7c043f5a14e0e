"""Chapter 30: lines to values and back."""

from __future__ import annotations

from measure.table import Start, observe, row
from measure.ways import arrives, sends
from measure.words import word

for name, text in (
    ("minus-zero", "-0"),
    ("overflow", "1e400"),
    ("beyond-double", "9007199254740993"),
    ("surrogate", r'"\ud800"'),
    ("duplicate", '{"a":1,"a":2}'),
    ("proto", '{"__proto__":1}'),
    ("integer-keys", '{"b":1,"2":2,"1":3}'),
    ("nan", "NaN"),
    ("comma", '{"a":1,}'),
    ("line-separator", '"\u2028"'),
    ("control", '"\x1f"'),
    ("null", "null"),
    ("comment", "/* comment */ 1"),
    ("undefined", "undefined"),
    ("single-quotes", "'text'"),
    ("leading-zero", "01"),
    ("infinity", "Infinity"),
):
    shown = text.encode("unicode_escape").decode() if name in ("line-separator", "control") else text
    row(f"jsn-{name}", "JSN", f"The line `{shown}` arrives", arrives(text.encode() + b"\n"))


@observe("jsn-deep", "JSN", "100000 nested arrays arrive")
def _deep(start: Start) -> str:
    with start(
        "const c = echo(open()); c.removeAllListeners('message'); c.on('message', () => say('delivered'))"
    ) as peer:
        peer.write(b"[" * 100_000 + b"]" * 100_000 + b"\n")
        return str(peer.fact(5) or peer.end_of_it())


for name, expression in (
    ("undefined", "undefined"),
    ("function", "() => {}"),
    ("symbol", "Symbol('s')"),
    ("bigint", "1n"),
    ("nested-bigint", "{ a: 1n }"),
    ("tojson", "{ toJSON() {} }"),
    ("nan", "NaN"),
    ("minus-zero", "-0"),
    ("surrogate", "'\\ud800'"),
    ("buffer", "Buffer.from('hi')"),
    ("map", "new Map([[1, 2]])"),
    ("infinity", "Infinity"),
    ("tenth", "0.1"),
    ("big", "1e21"),
    ("least", "5e-324"),
    ("greatest", "1.7976931348623157e308"),
    ("sum", "0.1 + 0.2"),
    ("nested-undefined", "[undefined, { a: undefined }]"),
):
    row(f"jsn-send-{name}", "JSN", f"`send({expression})`", sends(expression))


@observe("jsn-send-surrogate-bytes", "JSN", "Bytes of the line of a lone surrogate")
def _surrogate_bytes(start: Start) -> str:
    with start("const c = echo(open()); c.send('\\ud800')") as peer:
        found = peer.raw_line() or b""
        return "escaped" if found == b'"\\ud800"' else found.hex(" ")


@observe("jsn-send-raw-bytes", "JSN", "Bytes of the line of U+2028, U+2029, U+007F")
def _raw_bytes(start: Start) -> str:
    with start("const c = echo(open()); c.send('\\u2028\\u2029\\u007f')") as peer:
        found = peer.raw_line() or b""
        return "raw" if found == '"\u2028\u2029\x7f"'.encode() else found.decode("ascii", "backslashreplace")


@observe("jsn-overflow-back", "JSN", "The line `1e400` arrives and is sent back")
def _overflow_back(start: Start) -> str:
    program = "const c = open(); c.on('message', (m) => c.send({ back: m }))"
    with start(program) as peer:
        peer.write(b"1e400\n")
        found = peer.line(3)
        return word(found) if found is not None else peer.end_of_it()
