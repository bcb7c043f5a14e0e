"""What is measured: one function for each row of the table, which runs a runtime and returns the word for its cell."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from probe import NULL, SILENCE, Peer, line

# Starts the runtime under observation: `Peer` without its first argument.
Start = Callable[..., Peer]

ACK, NACK = {"cmd": "NODE_HANDLE_ACK"}, {"cmd": "NODE_HANDLE_NACK"}


@dataclass(frozen=True)
class Observation:
    """One row: its id, the area it belongs to, its question, and how to find the answer."""

    id: str
    area: str
    question: str
    measure: Callable[[Start], str]


ALL: list[Observation] = []


def observe(id_: str, area: str, question: str) -> Callable[[Callable[[Start], str]], Callable[[Start], str]]:
    """Register a function as a row."""

    def register(measure: Callable[[Start], str]) -> Callable[[Start], str]:
        ALL.append(Observation(id_, area, question, measure))
        return measure

    return register


def row(id_: str, area: str, question: str, measure: Callable[[Start], str]) -> None:
    """Register a row whose answer is found in one of the common ways below."""
    ALL.append(Observation(id_, area, question, measure))


# ---- common ways -----------------------------------------------------------------------------------------------


def word(found: Any) -> str:
    """Return the word for one line that a runtime wrote."""
    if found == ACK:
        return "ACK"
    if found == NACK:
        return "NACK"
    if found == NULL:
        return "`null`"
    if isinstance(found, dict) and "not JSON" in found:
        return f"writes `{found['not JSON']}`" if found["not JSON"] else "writes a blank line"
    if isinstance(found, dict) and "got" in found:
        handle = found.get("handle")
        return f"`{found['got']}`" + (f" with {handle}" if handle else "")
    return f"`{line(found).decode().strip()}`"


def words(lines: list[Any], fate: str, quiet: str = "ignored") -> str:
    """Return the word for all that was seen until a probe came back or the runtime was gone."""
    parts = [word(found) for found in lines]
    if fate != "lives":
        parts.append(fate)
    return ", ".join(parts) or quiet


def arrives(*parts: Any, quiet: str = "ignored", role: str = "child") -> Callable[[Start], str]:
    """The parts arrive, each in a read of its own; then a probe."""

    def measure(start: Start) -> str:
        with start(role=role) as peer:
            peer.pieces(*(part if isinstance(part, bytes) else line(part) for part in parts))
            return words(*peer.settle(), quiet=quiet)

    return measure


def sends(expression: str) -> Callable[[Start], str]:
    """The runtime sends the value of an expression; the cell is the line, or how it was refused."""
    program = f"""const c = echo(open());
        c.on('error', (error) => say('error ' + (error.code || error.name)));
        say(attempt(() => c.send({expression})));"""

    def measure(start: Start) -> str:
        with start(program) as peer:
            told = peer.fact()
            lines, fate = peer.settle()
            if not lines and fate == "lives":
                later = peer.fact(0.2) if told in ("true", "false") else None
                return str(later or (told if told not in ("true", "false") else "nothing is written"))
            return words(lines, fate)

    return measure


@contextmanager
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP connection, both ends; the first is non-blocking, as a receiver needs it."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as one,
    ):
        two, _ = server.accept()
        with two:
            one.setblocking(False)
            yield one, two


@contextmanager
def listening(family: socket.AddressFamily = socket.AF_INET) -> Iterator[socket.socket]:
    """A listening socket."""
    with socket.socket(family) as server:
        server.bind(("127.0.0.1", 0) if family == socket.AF_INET else "")
        server.listen()
        server.setblocking(False)
        yield server


@contextmanager
def datagram() -> Iterator[socket.socket]:
    """A bound UDP socket."""
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        yield udp


@contextmanager
def made(kind: str) -> Iterator[int]:
    """A descriptor of some kind."""
    if kind == "tcp":
        with connection() as (one, _):
            yield one.fileno()
    elif kind == "unix":
        one, two = socket.socketpair()
        with one, two:
            one.setblocking(False)
            yield one.fileno()
    elif kind == "server":
        with listening() as server:
            yield server.fileno()
    elif kind == "unix server":
        with listening(socket.AF_UNIX) as server:
            yield server.fileno()
    elif kind == "bound":
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            bound.setblocking(False)
            yield bound.fileno()
    elif kind == "udp":
        with datagram() as udp:
            yield udp.fileno()
    else:
        number = os.open("/dev/null", os.O_RDONLY) if kind == "file" else os.eventfd(0)
        try:
            yield number
        finally:
            os.close(number)


def envelope(type_: Any, message: Any = "m", **more: Any) -> dict[str, Any]:
    """An envelope of a handle."""
    return {"cmd": "NODE_HANDLE", "type": type_, "msg": message, **more}


def handed(type_: Any, kind: str, **more: Any) -> Callable[[Start], str]:
    """An envelope arrives with a descriptor of some kind."""

    def measure(start: Start) -> str:
        with start() as peer, made(kind) as number:
            peer.write(envelope(type_, **more), number)
            lines, fate = peer.settle()
            if fate == "lives":
                time.sleep(0.3)  # some sockets cause an error only when they are used
                later, fate = peer.settle()
                lines += later
            return words(lines, fate)

    return measure


def said(
    program: str, act: Callable[[Peer], Any] = lambda _: None, quiet: str = "never"
) -> Callable[[Start], str]:
    """The program says a fact after something was done to it; the cell is the fact."""

    def measure(start: Start) -> str:
        with start(program) as peer:
            peer.fact()
            act(peer)
            told = peer.fact(SILENCE * 2)
            if told is not None:
                return str(told)
            return quiet if peer.process.poll() is None else peer.end_of_it()

    return measure


# ---- bootstrap -------------------------------------------------------------------------------------------------


def _fact(name: str, show: Callable[[Any], str] = str) -> Callable[[Start], str]:
    def measure(start: Start) -> str:
        with start(role="parent") as peer:
            return show(peer.facts[name])

    return measure


def _yes(value: Any) -> str:
    return "yes" if value else "no"


row("boo-family", "BOO", "Kind of the channel's socket, as parent", _fact("family"))
row("boo-number", "BOO", "`NODE_CHANNEL_FD` for the fourth entry of `stdio`", _fact("fd"))
row("boo-mode", "BOO", "Mode that a parent sets for JSON", _fact("mode"))
row("boo-blocking", "BOO", "A parent hands over the child's end in blocking mode", _fact("blocking", _yes))
row("boo-buffer", "BOO", "Send buffer of the channel (`SO_SNDBUF`)", _fact("buffer"))


@observe("boo-second-entry", "BOO", "Values of `NODE_CHANNEL_FD` when the user's `env` has one already")
def _second_entry(start: Start) -> str:
    program = "echo(open({ env: Object.assign({}, process.env, { NODE_CHANNEL_FD: '9' }) }))"
    with start(program, role="parent") as peer:
        return ", ".join(value.partition("=")[2] for value in peer.facts["values"])


@observe("boo-variables-removed", "BOO", "Channel variables left in `process.env` of a child")
def _variables(start: Start) -> str:
    program = "echo(open()); say(Object.keys(process.env).filter((name) => name.startsWith('NODE_CHANNEL_')).join(', '))"
    with start(program) as peer:
        return peer.fact() or "none"


@observe("boo-grandchild", "BOO", "A grandchild inherits the channel's descriptor")
def _grandchild(start: Start) -> str:
    program = """echo(open());
        const inner = childProcess.spawn('/bin/sh', ['-c', 'ls -l /proc/$$/fd'], { stdio: ['ignore', 'pipe', 'inherit'] });
        let listing = '';
        inner.stdout.on('data', (data) => { listing += data; });
        inner.stdout.on('end', () => say(listing));"""
    with start(program) as peer:
        inode = os.fstat(peer.end.fileno()).st_ino
        sockets = [part for part in str(peer.fact()).split() if part.startswith("socket:")]
        # The child's end of our pair is the socket made right after ours.
        return _yes(f"socket:[{inode + 1}]" in sockets)


@observe("boo-fd-three", "BOO", "`NODE_CHANNEL_FD` is 3 and nothing was handed over there")
def _fd_three(start: Start) -> str:
    program = """const has = typeof process.send === 'function'; say(has ? 'a channel' : 'no channel');
        if (has) process.send(1, (error) => { say(error ? 'send fails' : 'sent'); process.exit(); });"""
    with start(program, env={"NODE_CHANNEL_FD": "3"}) as peer:
        found = [one for one in (peer.fact(3), peer.fact(1)) if one]
        return ", ".join(found) or peer.end_of_it()


def _variable(env: dict[str, str], descriptor: int | None = None) -> Callable[[Start], str]:
    program = (
        "say(typeof process.send); process.on('message', () => {}); setTimeout(() => process.exit(7), 1500)"
    )

    def measure(start: Start) -> str:
        with start(program, env=env, descriptor=descriptor) as peer:
            told = peer.fact(3)
            if told is None:
                return peer.end_of_it()
            fate = peer.end_of_it(4)
            return "no channel" if told == "undefined" else "a channel" if fate == "exit 7" else fate

    return measure


row("boo-fd-empty", "BOO", "`NODE_CHANNEL_FD` is empty", _variable({"NODE_CHANNEL_FD": ""}))
row("boo-fd-word", "BOO", "`NODE_CHANNEL_FD` is `abc`", _variable({"NODE_CHANNEL_FD": "abc"}))
row("boo-fd-negative", "BOO", "`NODE_CHANNEL_FD` is `-1`", _variable({"NODE_CHANNEL_FD": "-1"}))
row(
    "boo-fd-closed",
    "BOO",
    "`NODE_CHANNEL_FD` names a closed descriptor",
    _variable({"NODE_CHANNEL_FD": "77"}),
)
row("boo-mode-unknown", "BOO", "The mode is `bogus`", _variable({"NODE_CHANNEL_SERIALIZATION_MODE": "bogus"}))
row("boo-mode-empty", "BOO", "The mode is empty", _variable({"NODE_CHANNEL_SERIALIZATION_MODE": ""}))


@observe("boo-fd-file", "BOO", "`NODE_CHANNEL_FD` names `/dev/null`")
def _fd_file(start: Start) -> str:
    number = os.open("/dev/null", os.O_RDWR)
    try:
        return _variable({}, number)(start)
    finally:
        os.close(number)


# ---- framing ---------------------------------------------------------------------------------------------------

row("frm-blank", "FRM", "A blank line arrives at a child", arrives(b"\n"))
row("frm-blank-parent", "FRM", "A blank line arrives at a parent", arrives(b"\n", role="parent"))
row("frm-not-json", "FRM", "The line `ready` arrives", arrives(b"ready\n"))
row("frm-bom", "FRM", "A byte order mark before a message", arrives(b"\xef\xbb\xbf1\n"))
row("frm-nul", "FRM", "A byte 0x00 between two messages", arrives(b"\x001\n"))
row("frm-cr", "FRM", "A line that ends with CR LF", arrives(b"1\r\n"))
row("frm-split", "FRM", "A character whose bytes arrive in two reads", arrives(b'"\xc3', b'\xa9"\n'))
row("frm-invalid", "FRM", "Bytes FF FE in a string", arrives(b'"\xff\xfe"\n'))
row("frm-overlong", "FRM", "Bytes C0 AF in a string", arrives(b'"\xc0\xaf"\n'))
row("frm-surrogate-bytes", "FRM", "Bytes ED A0 80 in a string", arrives(b'"\xed\xa0\x80"\n'))
row("frm-truncated-char", "FRM", "Bytes E2 82 at the end of a string", arrives(b'"\xe2\x82"\n'))
row("frm-good-then-bad", "FRM", "A message and then a bad line in one read", arrives(b"1\nbad\n"))


@observe("frm-unterminated", "FRM", "`12` without a line feed, then the end")
def _unterminated(start: Start) -> str:
    program = """const c = open(); c.on('message', (m) => say('delivers ' + text(m)));
        c.on('error', (e) => say('error')); c.on('disconnect', () => say('dropped'));say(0)"""
    with start(program) as peer:
        peer.fact()
        peer.write(b"12")
        peer.end.shutdown(socket.SHUT_WR)
        return str(peer.fact() or peer.end_of_it())


@observe("frm-long", "FRM", "A line of 16 MiB")
def _long(start: Start) -> str:
    with start("const c = open(); c.on('message', (m) => say(m.length))") as peer:
        peer.end.settimeout(60)
        peer.write(b'"' + b"x" * (1 << 24) + b'"\n')
        return "delivered" if peer.fact(60) == 1 << 24 else peer.end_of_it()


# ---- JSON ------------------------------------------------------------------------------------------------------

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
    ("nested-undefined", "[undefined, { a: undefined }]"),
    ("internal", "{ cmd: 'NODE_x' }"),
):
    area = "CLS" if name == "internal" else "JSN"
    row(f"{area.lower()}-send-{name}", area, f"`send({expression})`", sends(expression))


@observe("jsn-send-surrogate-bytes", "JSN", "Bytes of the line of a lone surrogate")
def _surrogate_bytes(start: Start) -> str:
    with start("const c = echo(open()); c.send('\\ud800')") as peer:
        found = peer.raw_line() or b""
        return "escaped" if found == b'"\\ud800"' else found.hex(" ")


# ---- classification --------------------------------------------------------------------------------------------

row("cls-prefix-alone", "CLS", 'The line `{"cmd":"NODE_"}` arrives', arrives({"cmd": "NODE_"}))
row("cls-unknown", "CLS", 'The line `{"cmd":"NODE_x"}` arrives', arrives({"cmd": "NODE_x"}))
row("cls-small", "CLS", 'The line `{"cmd":"node_x"}` arrives', arrives({"cmd": "node_x"}))
row("cls-array", "CLS", 'The line `[{"cmd":"NODE_x"}]` arrives', arrives([{"cmd": "NODE_x"}]))


@observe(
    "cls-debug",
    "CLS",
    '`{"cmd":"NODE_DEBUG_ENABLED"}` arrives at a cluster primary: debuggers of its workers',
)
def _debug(start: Start) -> str:
    program = """const cluster = require('cluster');
        const worker = `say(String(process.env.NODE_UNIQUE_ID)); setTimeout(() => {
            say(require('inspector').url() ? 'open' : 'stay closed'); process.exit(); }, 1500);`;
        (cluster.setupPrimary || cluster.setupMaster).call(cluster, Object.assign({ exec: __filename, args: [worker, 'child'] },
            process.versions.bun || process.versions.deno ? {} : { execArgv: ['--inspect-port=0'], inspectPort: 0 }));
        cluster.fork(); echo(open());"""
    with start(program) as peer:
        if peer.fact() is None:
            return "no worker"
        peer.write({"cmd": "NODE_DEBUG_ENABLED"})
        return str(peer.fact(4) or "no worker")


# ---- handles, receiving ----------------------------------------------------------------------------------------

for type_, kind, more in (
    ("net.Server", "server", {}),
    ("net.Server", "unix server", {}),
    ("net.Socket", "tcp", {}),
    ("net.Socket", "unix", {}),
    ("net.Native", "tcp", {}),
    ("dgram.Socket", "udp", {"dgramType": "udp4"}),
    ("dgram.Native", "udp", {}),
    ("net.BoundSocket", "bound", {}),
):
    words_ = {
        "tcp": "a TCP connection",
        "unix": "a Unix connection",
        "server": "a TCP server",
        "udp": "a UDP socket",
    }
    what = words_.get(kind, "a Unix server" if kind == "unix server" else "a bound TCP socket")
    row(f"hnd-{type_.lower().replace('.', '-')}-{kind.replace(' ', '-')}", "HND",
        f"`{type_}` with {what} arrives", handed(type_, kind, **more))  # fmt: skip

for id_, question, type_, kind, more in (
    ("unknown-type", "`type` is `net.Future`", "net.Future", "tcp", {}),
    ("null-type", "`type` is null", None, "tcp", {}),
    ("udp-as-socket", "`net.Socket` with a UDP socket", "net.Socket", "udp", {}),
    ("tcp-as-server", "`net.Server` with a TCP connection", "net.Server", "tcp", {}),
    ("server-as-socket", "`net.Socket` with a TCP server", "net.Socket", "server", {}),
    ("tcp-as-udp", "`dgram.Socket` with a TCP connection", "dgram.Socket", "tcp", {"dgramType": "udp4"}),
    ("no-dgram-type", "`dgram.Socket` without `dgramType`", "dgram.Socket", "udp", {}),
    ("file", "`net.Socket` with `/dev/null`", "net.Socket", "file", {}),
    ("eventfd", "`net.Socket` with an event descriptor", "net.Socket", "eventfd", {}),
):
    row(f"hnd-{id_}", "HND", question, handed(type_, kind, **more))


@observe("hnd-after-eventfd", "HND", "After an event descriptor, a good `net.Socket`")
def _after_eventfd(start: Start) -> str:
    with start() as peer, made("eventfd") as bad, made("tcp") as good:
        peer.write(envelope("net.Socket", "bad"), bad)
        _, fate = peer.settle()
        if fate != "lives":
            return fate
        peer.write(envelope("net.Socket", "good"), good)
        return words(*peer.settle())


row("hnd-no-descriptor", "HND", "An envelope without a descriptor", arrives(envelope("net.Socket")))
row("hnd-stray-ack", "HND", "An acknowledgement that is not owed", arrives(ACK))
row("hnd-stray-nack", "HND", "A refusal that is not owed", arrives(NACK))


def _plain_then(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        peer.write(1, number)
        peer.settle()
        peer.write(envelope("net.Socket"))
        return words(*peer.settle())


row("hnd-kept-stray", "HND", "A descriptor with a plain message, later an envelope without one", _plain_then)


@observe("hnd-two-in-one", "HND", "Two envelopes and two descriptors in one write")
def _two_in_one(start: Start) -> str:
    with start() as peer, made("tcp") as one, made("tcp") as two:
        peer.write(line(envelope("net.Socket", 1)) + line(envelope("net.Socket", 2)), one, two)
        return words(*peer.settle())


@observe("hnd-pipelined", "HND", "An envelope and a plain message behind it in one write")
def _pipelined(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        peer.write(line(envelope("net.Socket", "handle")) + line("plain"), number)
        return words(*peer.settle())


@observe("hnd-last-byte", "HND", "The descriptor rides on the last byte of its envelope")
def _last_byte(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        text = line(envelope("net.Socket"))
        peer.pieces(text[:-1])
        peer.write(text[-1:], number)
        return words(*peer.settle())


@observe(
    "hnd-first-byte", "HND", "The descriptor rides on the first byte of an envelope that takes two reads"
)
def _first_byte(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        text = line(envelope("net.Socket"))
        peer.write(text[:1], number)
        peer.pieces(b"", text[1:])
        return words(*peer.settle())


@observe("hnd-double", "HND", "An envelope inside an envelope, with one descriptor")
def _double(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        peer.write(envelope("net.Native", envelope("net.Socket", "inner")), number)
        return words(*peer.settle())


@observe("hnd-no-msg", "HND", "An envelope without `msg`")
def _no_msg(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        peer.write({"cmd": "NODE_HANDLE", "type": "net.Socket"}, number)
        return words(*peer.settle())


def _descriptors(peer: Peer) -> int:
    return len(os.listdir(f"/proc/{peer.process.pid}/fd"))  # noqa: PTH208 (names are all that is wanted)


@observe("hnd-strays", "HND", "Twenty plain messages with a descriptor each: what stays open")
def _strays(start: Start) -> str:
    with start() as peer, made("tcp") as number:
        peer.settle()
        before = _descriptors(peer)
        for _ in range(20):
            peer.write(1, number)
            peer.settle()
        left = _descriptors(peer) - before
        return "all" if left >= 20 else "none" if left <= 0 else str(left)


@observe("hnd-room", "HND", "A plain message with 100 descriptors: descriptors that one read takes in")
def _room(start: Start) -> str:
    with (
        start(
            "const c = open(); c.on('message', (m) => { if (m.probe) c.send(m); else for (;;); });"
        ) as peer,
        made("tcp") as number,
    ):
        peer.settle()
        before = _descriptors(peer)
        peer.write(1, *[number] * 100)
        time.sleep(SILENCE)
        return str(_descriptors(peer) - before)


@observe("hnd-mode-kept", "HND", "A received blocking socket is put in non-blocking mode")
def _mode_kept(start: Start) -> str:
    with start() as peer, connection() as (one, _):
        one.setblocking(True)
        peer.write(envelope("net.Socket"), one.fileno())
        peer.settle()
        return _yes(not os.get_blocking(one.fileno()))


# ---- handles, sending ------------------------------------------------------------------------------------------

SERVER = """const c = echo(open());
    c.on('error', (error) => say('error ' + (error.code || error.name)));
    const server = net.createServer().listen(0, '127.0.0.1', () => { say(server.address().port); go(); });"""
ACCEPT = """const c = echo(open());
    c.on('error', (error) => say('error ' + (error.code || error.name)));
    const server = net.createServer((socket) => go(socket)).listen(0, '127.0.0.1', () => say(server.address().port));"""


@contextmanager
def sending(start: Start, setup: str, body: str) -> Iterator[Peer]:
    """A runtime that sends something as `body` says: with a listening server, or with an accepted connection."""
    with start(f"{setup}; function go(socket) {{ {body} }}") as peer:
        port = peer.fact()
        if setup is ACCEPT and port is not None:
            with socket.create_connection(("127.0.0.1", port)):
                yield peer
        else:
            yield peer


def written(setup: str, body: str) -> Callable[[Start], str]:
    """The first line that the program writes, and how many descriptors come with it."""

    def measure(start: Start) -> str:
        with sending(start, setup, body) as peer:
            found = peer.raw_line()
            if found is None:
                return str(peer.fact(0.2) or peer.end_of_it())
            return f"`{found.decode()}` + {len(peer.descriptors)}"

    return measure


row(
    "hnd-send-server", "HND", "Line and descriptors of a sent server", written(SERVER, "c.send('s', server);")
)
row(
    "hnd-send-socket",
    "HND",
    "Line and descriptors of a sent connection",
    written(ACCEPT, "c.send('s', socket);"),
)
row("hnd-send-udp", "HND", "Line and descriptors of a sent UDP socket", written(
    SERVER, "const udp = dgram.createSocket('udp4'); udp.bind(0, () => c.send('u', udp));"))  # fmt: skip
row("hnd-send-closed", "HND", "Line and descriptors of a server that is not listening", written(
    SERVER, "c.send('s', net.createServer());"))  # fmt: skip


@observe("hnd-send-bound", "HND", "Line and descriptors of a sent `net.BoundSocket`")
def _send_bound(start: Start) -> str:
    body = """if (!net.BoundSocket) { say('unknown'); return; }
        say('known'); const bound = new net.BoundSocket({ port: 0, host: '127.0.0.1' }); say(attempt(() => c.send('b', bound)));"""
    with sending(start, SERVER, body) as peer:
        if peer.fact() != "known":
            return "no such class"
        found = peer.raw_line(3)
        return (
            f"`{found.decode()}` + {len(peer.descriptors)}"
            if found
            else str(peer.fact(0.2) or peer.end_of_it())
        )


@observe("hnd-held", "HND", "`send(server); send(1)`: what is written before the acknowledgement")
def _held(start: Start) -> str:
    with sending(start, SERVER, "c.send('s', server); c.send(1);") as peer:
        peer.line()
        early = peer.line(SILENCE)
        peer.write(ACK)
        if early is not None:
            return "both"
        return "only the server" if peer.line() == 1 else "only the server, for ever"


def _refused(setup: str, body: str, times: int) -> Callable[[Start], str]:
    def measure(start: Start) -> str:
        with sending(start, setup, body + " c.send('next');") as peer:
            first = peer.line()
            for _ in range(times):
                peer.write(NACK)
                found = peer.line(3)
                if not (isinstance(found, dict) and found.get("cmd") == "NODE_HANDLE"):
                    return "given up" if found == "next" else f"{word(found)}" if found else peer.end_of_it()
            if found == first:
                return "the same line again"
            return "wrapped once more" if found["msg"] == first else "another line"

    return measure


row(
    "hnd-refused-socket", "HND", "A refusal of a sent connection", _refused(ACCEPT, "c.send('s', socket);", 1)
)
row("hnd-refused-server", "HND", "A refusal of a sent server", _refused(SERVER, "c.send('s', server);", 1))


@observe("hnd-refusals", "HND", "Refusals of a connection until it is given up")
def _refusals(start: Start) -> str:
    with sending(start, ACCEPT, "c.send('s', socket); c.send('next');") as peer:
        peer.line()
        for count in range(1, 8):
            peer.write(NACK)
            found = peer.line(3)
            if found == "next":
                return str(count)
            if found is None:
                return peer.end_of_it()
        return "more than 7"


@observe("hnd-second-ack", "HND", "Two acknowledgements of a retransmitted connection")
def _second_ack(start: Start) -> str:
    with sending(start, ACCEPT, "c.send('s', socket);") as peer:
        peer.line()
        peer.write(NACK)
        peer.line(SILENCE)
        peer.write(line(ACK) + line(ACK))
        return words(*peer.settle(), quiet="lives")


@observe("hnd-crossing", "HND", "A handle arrives while an own one is unanswered")
def _crossing(start: Start) -> str:
    with sending(start, SERVER, "c.send('s', server);") as peer, made("tcp") as number:
        peer.line()
        peer.write(envelope("net.Socket"), number)
        found = peer.line(3)
        return word(found) if found else peer.end_of_it()


@observe("hnd-unread-bytes", "HND", "Bytes that arrive for a sent connection before the acknowledgement")
def _unread_bytes(start: Start) -> str:
    with (
        start(f"{ACCEPT}; function go(socket) {{ c.send('s', socket); }}") as peer,
        socket.create_connection(("127.0.0.1", peer.fact())) as client,
    ):
        peer.line()
        client.sendall(b"abc")
        time.sleep(0.2)
        number = peer.take_descriptor()
        if number is None:
            return "no descriptor"
        with socket.socket(fileno=number) as end:
            end.setblocking(False)
            try:
                return "are there" if end.recv(10) == b"abc" else "in part"
            except BlockingIOError:
                return "are lost"


@observe("hnd-callback", "HND", "The callback of `send` with a server runs when the envelope is")
def _callback(start: Start) -> str:
    with sending(start, SERVER, "c.send('s', server, () => say('called'));") as peer:
        peer.line()
        before = peer.fact(SILENCE)
        peer.write(ACK)
        return "written" if before else "acknowledged" if peer.fact(3) else "neither"


# ---- socket lists ----------------------------------------------------------------------------------------------

KEY = "4:127.0.0.1:0"
GET, CLOSE = {"cmd": "NODE_SOCKET_GET_COUNT", "key": KEY}, {"cmd": "NODE_SOCKET_NOTIFY_CLOSE", "key": KEY}
KEEP = "const c = echo(open()); let held; c.on('message', (m, h) => { if (h) held = h; if (m === 'drop') held.destroy(); })"


def _asked(*messages: Any) -> Callable[[Start], str]:
    """A keyed connection arrives, then the messages; the cell has the answers."""

    def measure(start: Start) -> str:
        with start(KEEP) as peer, made("tcp") as number:
            peer.write(envelope("net.Socket", key=KEY), number)
            peer.settle()
            found: list[Any] = []
            for message in messages:
                peer.write(message)
                lines, fate = peer.settle()
                found += [one for one in lines if "got" not in one]
                if fate != "lives":
                    return words(found, fate)
                if message == "drop":
                    late = peer.line(0.3)
                    found += [late] if late is not None else []
            return (
                ", ".join(f"`{one['cmd']}`" + (f" {one['count']}" if "count" in one else "") for one in found)
                or "nothing"
            )

    return measure


row("sls-count", "SLS", "`NODE_SOCKET_GET_COUNT`, one connection open", _asked(GET))
row("sls-count-unknown", "SLS", "`NODE_SOCKET_GET_COUNT` with an unknown key", arrives(GET, quiet="nothing"))
row("sls-count-after", "SLS", "`NODE_SOCKET_GET_COUNT`, the connection closed", _asked("drop", GET))
row("sls-notify-open", "SLS", "`NODE_SOCKET_NOTIFY_CLOSE`, one connection open", _asked(CLOSE))
row("sls-notify-then", "SLS", "the same, then the connection is closed", _asked(CLOSE, "drop"))
row("sls-notify-idle", "SLS", "`NODE_SOCKET_NOTIFY_CLOSE`, the connection closed", _asked("drop", CLOSE))
row(
    "sls-notify-unknown",
    "SLS",
    "`NODE_SOCKET_NOTIFY_CLOSE` with an unknown key",
    arrives(CLOSE, quiet="nothing"),
)


def _sender_of_key(body: str, act: Callable[[Peer, Any], str]) -> Callable[[Start], str]:
    def measure(start: Start) -> str:
        with sending(start, ACCEPT, "c.send('s', socket);" + body) as peer:
            first = peer.line()
            peer.write(ACK)
            return act(peer, first)

    return measure


def _show_question(peer: Peer, _: Any) -> str:
    found = peer.line(3)
    return word(found) if found else "nothing"


def _close_calls_back(peer: Peer, _: Any) -> str:
    question = peer.line(3)
    if not isinstance(question, dict) or "key" not in question:
        return f"no question, {'called' if peer.fact(SILENCE) else 'not called'}"
    before = peer.fact(SILENCE)
    peer.write({"cmd": "NODE_SOCKET_ALL_CLOSED", "key": question["key"]})
    after = peer.fact(3)
    if before is not None:
        return "does not wait"
    return "waits for the answer" if after is not None else "not called"


@observe("sls-handed-on", "SLS", "`NODE_SOCKET_GET_COUNT`, the connection was handed on and acknowledged")
def _handed_on(start: Start) -> str:
    program = "const c = open(); c.on('message', (m, h) => { if (h) c.send('on', h); else if (m.probe) c.send(m); });"
    with start(program) as peer, made("tcp") as number:
        peer.write(envelope("net.Socket", key=KEY), number)
        peer.line()
        peer.line()
        peer.write(ACK)
        peer.settle()
        peer.write(GET)
        lines, fate = peer.settle()
        return ", ".join(f"`{one['cmd']}` {one.get('count')}" for one in lines) or (
            "nothing" if fate == "lives" else fate
        )


def _close_and_end(peer: Peer, _: Any) -> str:
    if not isinstance(peer.line(3), dict):
        return "no question"
    peer.end.shutdown(socket.SHUT_RDWR)
    return str(peer.fact(SILENCE * 2) or "not called")


row("sls-close-end", "SLS", "The callback of `server.close()` when the channel ends before the answer", _sender_of_key(
    "setTimeout(() => server.close((error) => say(error ? String(error.code) : 'no error')), 100);", _close_and_end))  # fmt: skip
row("sls-ask-end", "SLS", "The callback of `server.getConnections()` when the channel ends before the answer", _sender_of_key(
    "setTimeout(() => server.getConnections((error, n) => say(error ? String(error.code) : n)), 100);", _close_and_end))  # fmt: skip

row("sls-ask", "SLS", "`server.getConnections()` after a connection was sent", _sender_of_key(
    "setTimeout(() => server.getConnections((error, n) => say(error ? error.code : n)), 100);", _show_question))  # fmt: skip
row("sls-close", "SLS", "`server.close()` after a connection was sent", _sender_of_key(
    "setTimeout(() => server.close(() => say('callback')), 100);", _show_question))  # fmt: skip
row("sls-close-waits", "SLS", "The callback of `server.close()`", _sender_of_key(
    "setTimeout(() => server.close(() => say('callback')), 100);", _close_calls_back))  # fmt: skip

# ---- lifecycle -------------------------------------------------------------------------------------------------

WATCH = """const c = open(); let n = 0;
    c.on('message', (m) => { if (m === 'go') go(); else say('message'); });
    c.on('error', (error) => say('error ' + (error.code || error.name)));
    c.on('disconnect', () => say('disconnect')); function go() {} say('ready');"""

row("lif-end", "LIF", "The peer closes", said(WATCH, lambda peer: peer.end.close()))
row(
    "lif-half",
    "LIF",
    "The peer half-closes: event",
    said(WATCH, lambda peer: peer.end.shutdown(socket.SHUT_WR)),
)


@observe("lif-half-closes", "LIF", "The peer half-closes: own end")
def _half_closes(start: Start) -> str:
    with start(WATCH + "setInterval(() => {}, 1000)") as peer:
        peer.fact()
        peer.end.shutdown(socket.SHUT_WR)
        return "closed" if peer.rest(SILENCE * 2) == 0 else "open"


@observe("lif-while-leaving", "LIF", "A message and a handle that arrive while a disconnect waits")
def _while_leaving(start: Start) -> str:
    program = (
        _with_server("c.disconnect();").replace("echo(open())", "open()")
        + """
        c.on('error', () => {});
        c.on('message', (m, h) => say((m.got ? 'message' : 'handle') + (h ? ' with ' + kind(h) : '')));"""
    )
    with start(program) as peer, made("tcp") as number:
        peer.fact()
        peer.line()
        peer.write({"got": 1})
        first = peer.fact(1)
        peer.write(envelope("net.Socket"), number)
        answer = peer.line(1)
        second = peer.fact(1)
        return ", ".join(str(one or "nothing") for one in (first, word(answer) if answer else None, second))


@observe("lif-reset", "LIF", "The peer closes with bytes unread")
def _reset(start: Start) -> str:
    with start("const c = open(); c.send('unread');" + WATCH.partition(";")[2]) as peer:
        peer.fact()
        time.sleep(0.1)
        peer.end.close()
        return str(peer.fact(SILENCE * 2) or peer.end_of_it())


def _with_server(body: str) -> str:
    return f"""{SERVER} c.on('disconnect', () => say('disconnect'));
        function go() {{ c.send('s', server); {body} setInterval(() => {{}}, 1000); }}"""


@observe("lif-end-unanswered", "LIF", "The peer closes while a handle is unanswered")
def _end_unanswered(start: Start) -> str:
    with start(_with_server("")) as peer:
        peer.fact()
        peer.line()
        peer.end.close()
        return str(peer.fact(SILENCE * 2) or "no event")


@observe(
    "lif-disconnect-unanswered",
    "LIF",
    "`disconnect()` while a handle is unanswered, then the acknowledgement",
)
def _disconnect_unanswered(start: Start) -> str:
    with start(_with_server("c.send('behind'); c.disconnect();")) as peer:
        peer.fact()
        peer.line()
        peer.write(ACK)
        behind = peer.line(3)
        ended = peer.rest(SILENCE * 2) is not None
        return f"{'the queue' if behind == 'behind' else 'nothing'}, then {'the end' if ended else 'no end'}"


@observe("lif-disconnect-unfinished", "LIF", "`disconnect()` while an unfinished line is buffered")
def _disconnect_unfinished(start: Start) -> str:
    program = """const c = open(); c.on('message', () => {}); c.on('error', () => {});
        c.on('disconnect', () => say('disconnect')); say('ready');
        setTimeout(() => c.disconnect(), 500); setInterval(() => {}, 1000);"""
    with start(program) as peer:
        peer.fact()
        peer.write(b'{"unfinished":')
        return "closes" if peer.rest(SILENCE * 3) is not None else "never closes"


def _one_mebibyte(after: str) -> Callable[[Start], str]:
    def measure(start: Start) -> str:
        with start(f"const c = open(); c.send('x'.repeat(1 << 20)); {after}") as peer:
            time.sleep(0.7)
            count = peer.rest()
            return (
                "all"
                if count == (1 << 20) + 3
                else "no end"
                if count is None
                else "a part"
                if count
                else "nothing"
            )

    return measure


row("lif-flush-natural", "LIF", "1 MiB to a slow reader, then nothing left to do", _one_mebibyte(""))
row(
    "lif-flush-exit", "LIF", "1 MiB to a slow reader, then `process.exit()`", _one_mebibyte("process.exit();")
)
row(
    "lif-flush-disconnect",
    "LIF",
    "1 MiB to a slow reader, then `disconnect()`",
    _one_mebibyte("c.disconnect();"),
)


@observe("lif-send-after-end", "LIF", "`send` after the end")
def _send_after_end(start: Start) -> str:
    program = """const c = open(); c.on('message', () => {});
        c.on('error', (error) => say('event ' + error.code));
        c.on('disconnect', () => setTimeout(() => say(attempt(() => c.send(1))), 50)); say('ready');"""
    with start(program) as peer:
        peer.fact()
        peer.end.close()
        first, second = peer.fact(3), peer.fact(0.5)
        return f"{first}, {second}" if second else str(first)


@observe("lif-before-listener", "LIF", "Messages that arrive before there is a listener")
def _before_listener(start: Start) -> str:
    program = """const c = open(); c.on('disconnect', () => {}); c.channel && c.channel.ref && c.channel.ref(); say('ready');
        setTimeout(() => { c.on('message', () => say('kept')); setTimeout(() => say('lost'), 300); }, 700);"""
    with start(program) as peer:
        peer.fact()
        peer.write(1)
        return str(peer.fact(3) or peer.end_of_it())


@observe("lif-idle", "LIF", "A child that listens for nothing")
def _idle(start: Start) -> str:
    with start("say('ready')") as peer:
        peer.fact()
        return "exits 0" if peer.end_of_it() == "ends the channel" and peer.process.poll() == 0 else "stays"


@observe("lif-child-gone-first", "LIF", "Events of a parent when the child exits and its channel stays open")
def _child_gone_first(start: Start) -> str:
    program = """const c = open(); c.on('message', (m) => say('message'));
        for (const name of ['exit', 'close', 'disconnect']) c.on(name, () => say(name));
        setInterval(() => {}, 1000);"""
    with start(program, role="parent") as peer:
        peer.end_child()
        order = [peer.fact(3)]
        peer.write(1)
        order.append(peer.fact(3))
        peer.end.close()
        order += [peer.fact(3), peer.fact(1)]
        return ", ".join(str(name) for name in order if name)


@observe("flo-return", "FLO", "Twelve messages of 64 KiB to a peer that does not read: `send` returns")
def _returns(start: Start) -> str:
    program = """const c = echo(open()); const all = [];
        for (let i = 0; i < 12; i++) all.push(String(c.send('x'.repeat(65536)))); say(all);"""
    with start(program) as peer:
        told = peer.fact(3)
        if told is None:
            return "blocks"
        parts: list[list[Any]] = []
        for value in told:
            if parts and parts[-1][0] == value:
                parts[-1][1] += 1
            else:
                parts.append([value, 1])
        return ", ".join(f"{value} x {count}" for value, count in parts)


import clusters  # noqa: E402, F401 (its rows come last)
