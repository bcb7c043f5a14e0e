"""Chapter 55: the count of the sockets that were handed over."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from measure.peer import SILENCE, Peer
from measure.sockets import connection, made
from measure.table import Start, observe, row
from measure.ways import ACCEPT, SERVER, arrives, envelope, sending
from measure.words import ACK, word, words

if TYPE_CHECKING:
    from collections.abc import Callable

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


def _keyed(key: Any, *messages: Any) -> Callable[[Start], str]:
    """A connection arrives under a key, then the messages."""

    def measure(start: Start) -> str:
        with start(KEEP) as peer, made("tcp") as number:
            peer.write(envelope("net.Socket", key=key), number)
            lines, fate = peer.settle()
            for message in messages:
                if fate == "lives":
                    peer.write(message)
                    found, fate = peer.settle()
                    lines += found
            shown = [word(one) for one in lines if one != ACK and "got" not in one]
            return ", ".join([*shown, *([] if fate == "lives" else [fate])]) or "nothing"

    return measure


row(
    "sls-key-empty",
    "SLS",
    "A connection with an empty `key`, then `NODE_SOCKET_GET_COUNT` about it",
    _keyed("", {**GET, "key": ""}),
)
row(
    "sls-key-number",
    "SLS",
    "A connection with the `key` 5, then `NODE_SOCKET_GET_COUNT` about 5",
    _keyed(5, {**GET, "key": 5}),
)
row(
    "sls-question-number",
    "SLS",
    "`NODE_SOCKET_GET_COUNT` about 5, which no connection had",
    arrives({**GET, "key": 5}, quiet="nothing"),
)
row(
    "sls-question-no-key",
    "SLS",
    "`NODE_SOCKET_GET_COUNT` without a `key`",
    arrives({"cmd": "NODE_SOCKET_GET_COUNT"}, quiet="nothing"),
)

# Names that every object of JavaScript inherits.
INHERITED = ("toString", "constructor", "__proto__", "valueOf", "hasOwnProperty", "__defineGetter__")


def _inherited(role: str) -> Callable[[Start], str]:
    def measure(start: Start) -> str:
        fates = set()
        for key in INHERITED:
            with start(role=role) as peer, made("tcp") as number:
                peer.write(envelope("net.Socket", key=key), number)
                fates.add(peer.settle()[1])
        return ", ".join(sorted(fates))

    return measure


KEYS = ", ".join(f"`{key}`" for key in INHERITED)
row("sls-key-inherited", "SLS", f"A connection arrives whose `key` is {KEYS}", _inherited("child"))
row("sls-key-inherited-parent", "SLS", "The same arrives at a parent", _inherited("parent"))
row(
    "sls-question-inherited",
    "SLS",
    "`NODE_SOCKET_GET_COUNT` about `toString`",
    arrives({**GET, "key": "toString"}, quiet="nothing"),
)
row(
    "sls-notify-twice",
    "SLS",
    "`NODE_SOCKET_NOTIFY_CLOSE` twice, one connection open, then it is closed",
    _asked(CLOSE, CLOSE, "drop"),
)
row(
    "sls-notify-twice-idle",
    "SLS",
    "`NODE_SOCKET_NOTIFY_CLOSE` twice, the connection closed",
    _asked("drop", CLOSE, CLOSE),
)


@observe(
    "sls-notify-spent",
    "SLS",
    "After `NODE_SOCKET_ALL_CLOSED` another connection with this key arrives and is closed",
)
def _spent(start: Start) -> str:
    with start(KEEP) as peer, made("tcp") as one, made("tcp") as two:
        peer.write(envelope("net.Socket", key=KEY), one)
        peer.write(CLOSE)
        peer.write("drop")
        peer.settle()
        peer.settle()
        peer.write(envelope("net.Socket", key=KEY), two)
        peer.settle()
        peer.write("drop")
        lines, fate = peer.settle()
        late = peer.line(0.3)
        found = [f"`{one['cmd']}`" for one in [*lines, late] if one and "cmd" in one]
        return ", ".join(found) or ("nothing" if fate == "lives" else fate)


@observe(
    "sls-remote-end",
    "SLS",
    "`NODE_SOCKET_GET_COUNT`, the program holds the connection, its other end was closed",
)
def _remote_end(start: Start) -> str:
    program = "const c = echo(open()); let held; c.on('message', (m, h) => { if (h) held = h; })"
    with start(program) as peer, connection() as (one, other):
        peer.write(envelope("net.Socket", key=KEY), one.fileno())
        one.close()
        peer.settle()
        other.close()
        time.sleep(0.3)
        peer.write(GET)
        lines, fate = peer.settle()
        counts = ", ".join(f"`{one['cmd']}` {one.get('count')}" for one in lines)
        return counts or ("nothing" if fate == "lives" else fate)


@observe("sls-held-back", "SLS", "`NODE_SOCKET_GET_COUNT` while a handle of the answerer is unanswered")
def _held_back(start: Start) -> str:
    program = (
        SERVER.replace("echo(open())", "open()")
        + """
        c.on('message', (m) => { if (m === 'send') c.send('s', server); }); function go() {}"""
    )
    with start(program) as peer, made("tcp") as number:
        peer.fact()
        peer.write(envelope("net.Socket", key=KEY), number)
        peer.line()
        peer.write("send")
        peer.line()
        peer.write(GET)
        early = peer.line(SILENCE)
        peer.write(ACK)
        late = peer.line(SILENCE)
        return "answered at once" if early else "answered after the acknowledgement" if late else "nothing"


@observe("sls-two-servers", "SLS", "Keys of connections of two servers on port 0 of one address")
def _two_servers(start: Start) -> str:
    program = """const c = echo(open()); const take = (socket) => c.send('s', socket);
        const one = net.createServer(take).listen(0, '127.0.0.1', () => {
            const two = net.createServer(take).listen(0, '127.0.0.1', () => say([one.address().port, two.address().port])); });"""
    with start(program) as peer:
        keys = []
        for port in peer.fact():
            with socket.create_connection(("127.0.0.1", port)):
                found = peer.line(3) or {}
                keys.append(found.get("key"))
                peer.write(ACK)
                peer.settle()
        return "no key" if None in keys else "the same" if keys[0] == keys[1] else "different"


@observe("sls-ask-waits", "SLS", "The callback of `server.getConnections()`, one connection handed over")
def _ask_waits(start: Start) -> str:
    body = "c.send('s', socket); setTimeout(() => server.getConnections((e, n) => say(e ? e.code : n)), 100);"
    with sending(start, ACCEPT, body) as peer:
        peer.line()
        peer.write(ACK)
        question = peer.line(3)
        before = peer.fact(SILENCE)
        if not isinstance(question, dict):
            return f"no question, {before}"
        peer.write({**question, "cmd": "NODE_SOCKET_COUNT", "count": 41})
        after = peer.fact(3)
        if before is not None:
            return "does not wait"
        return "waits for the answer" if after is not None else "not called"


def _after_exit(call: str) -> Callable[[Start], str]:
    """A connection is handed to a child, which exits; then the server is asked for something."""
    body = f"c.send('s', socket); c.on('exit', () => server.{call});"

    def measure(start: Start) -> str:
        with start(f"{ACCEPT}; function go(socket) {{ {body} }}", role="parent") as peer:
            port = peer.fact()
            with socket.create_connection(("127.0.0.1", port)):
                peer.line()
                peer.write(ACK)
                peer.end_child()
                asked = peer.line(SILENCE * 2)
                called = peer.fact(SILENCE)
                return f"{'no message' if asked is None else 'a message'}, {'not called' if called is None else called}"

    return measure


row("sls-ask-exited", "SLS", "`server.getConnections()` when the child that was given a connection has exited", _after_exit(
    "getConnections((error, n) => say(error ? String(error.code) : n))"))  # fmt: skip
row("sls-close-exited", "SLS", "`server.close()` when the child that was given a connection has exited", _after_exit(
    "close((error) => say(error ? String(error.code) : 'called'))"))  # fmt: skip
