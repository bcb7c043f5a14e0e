"""Chapter 60: the end of the channel and of the child."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from measure.peer import SILENCE
from measure.sockets import made
from measure.table import Start, observe, row
from measure.ways import SERVER, envelope, said
from measure.words import ACK, word

if TYPE_CHECKING:
    from collections.abc import Callable

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


EVENTS = """const c = open(); const seen = [];
    for (const name of ['disconnect', 'exit', 'close']) c.on(name, () => seen.push(name));
    c.on('exit', () => setTimeout(() => say(seen.join(', ')), 500)); setInterval(() => {}, 1000);"""


@observe("lif-channel-first", "LIF", "Events of a parent when the child closes the channel and exits later")
def _channel_first(start: Start) -> str:
    with start(EVENTS, role="parent") as peer:
        peer.end.close()
        time.sleep(0.2)
        peer.end_child()
        return str(peer.fact(3))


@observe("lif-own-disconnect", "LIF", "Events of a parent that disconnects, and whose child exits then")
def _own_disconnect(start: Start) -> str:
    with start(EVENTS + "c.disconnect();", role="parent") as peer:
        peer.rest(SILENCE)
        peer.end.close()
        peer.end_child()
        return str(peer.fact(3))


@observe("lif-dies-unanswered", "LIF", "Events of a parent whose child dies with a handle unanswered")
def _dies_unanswered(start: Start) -> str:
    program = EVENTS + "const server = net.createServer().listen(0, '127.0.0.1', () => c.send('s', server));"
    with start(program, role="parent") as peer:
        peer.line()
        peer.end.close()
        peer.end_child()
        return str(peer.fact(3))


@observe("lif-half-lost", "LIF", "1 MiB is being sent when the peer closes one direction: what arrives")
def _half_lost(start: Start) -> str:
    program = "const c = open(); c.on('message', () => {}); c.send('x'.repeat(1 << 20)); say('ready');"
    with start(program) as peer:
        peer.fact()
        peer.end.shutdown(socket.SHUT_WR)
        time.sleep(0.5)
        count = peer.rest() or 0
        return "all" if count == (1 << 20) + 3 else "a part" if count else "nothing"


def _bytes(program: str, role: str = "child") -> Callable[[Start], str]:
    """The bytes that a slow reader gets of a message of 1 MiB."""

    def measure(start: Start) -> str:
        with start(program, role=role) as peer:
            peer.fact()  # it has said that the channel is closed, or has ended
            count = peer.rest()
            return "all" if count == (1 << 20) + 3 else str(count)

    return measure


_SENT = "c.send('x'.repeat(1 << 20)); c.on('disconnect', () => say('done'));"
row(
    "lif-disconnect-bytes",
    "LIF",
    "Bytes of 1 MiB that a slow reader gets from a child that disconnects",
    _bytes(f"const c = open(); {_SENT} c.disconnect();"),
)
row(
    "lif-disconnect-bytes-parent",
    "LIF",
    "The same from a parent, which made the channel",
    _bytes(f"const c = open(); {_SENT} c.disconnect();", "parent"),
)
row(
    "lif-exit-handler",
    "LIF",
    "Bytes of 1 MiB that are sent in a handler of `exit`",
    _bytes(f"process.on('exit', () => {{ const c = open(); {_SENT} }});"),
)


@observe("lif-exit-handler-small", "LIF", "A small message that is sent in a handler of `exit`")
def _exit_handler(start: Start) -> str:
    with start("process.on('exit', () => process.send('last'));") as peer:
        found = peer.line(3)
        return word(found) if found is not None else "nothing"


def _after_disconnect(action: str) -> Callable[[Start], str]:
    program = f"""const c = open(); c.on('message', () => {{}}); c.on('error', (error) => say('event ' + error.code));
        c.disconnect(); say(attempt(() => {action})); setInterval(() => {{}}, 1000);"""

    def measure(start: Start) -> str:
        with start(program) as peer:
            first, second = peer.fact(3), peer.fact(0.5)
            return f"{first}, {second}" if second else str(first)

    return measure


row("lif-send-after-disconnect", "LIF", "`send` after `disconnect()`", _after_disconnect("c.send(1)"))
row("lif-disconnect-twice", "LIF", "A second `disconnect()`", _after_disconnect("c.disconnect()"))


@observe(
    "lif-disconnect-in-handler",
    "LIF",
    "`1` and `2` arrive in one read, and the program disconnects at the first",
)
def _disconnect_in_handler(start: Start) -> str:
    return _disconnects_at_first(start, "on")


@observe("lif-disconnect-in-once", "LIF", "The same, with a listener that is gone after the first message")
def _disconnect_in_once(start: Start) -> str:
    return _disconnects_at_first(start, "once")


def _disconnects_at_first(start: Start, method: str) -> str:
    program = f"""const c = open(); c.{method}('message', (m) => {{ say(m); if (m === 1) c.disconnect(); }});
        c.on('disconnect', () => say('disconnect')); c.on('error', (error) => say(error.code));
        say('ready'); setTimeout(() => process.exit(7), 1500);"""
    with start(program) as peer:
        peer.fact()
        peer.write(b"1\n2\n")
        found = [str(one) for one in iter(lambda: peer.fact(SILENCE * 2), None)]
        status = peer.end_of_it(3)
        return ", ".join([*found, *([] if status == "exit 7" else [status])])


@observe(
    "lif-untouched",
    "LIF",
    "Messages that arrive before there is a listener and before the program touched the channel",
)
def _untouched(start: Start) -> str:
    program = """say('ready'); setTimeout(() => {
        process.on('message', () => say('kept')); setTimeout(() => say('lost'), 300); }, 700);"""
    with start(program) as peer:
        peer.fact()
        peer.write(1)
        return str(peer.fact(3) or peer.end_of_it())


@observe("lif-disconnect-unread", "LIF", "A message that lies in the kernel when the program disconnects")
def _disconnect_unread(start: Start) -> str:
    program = """const c = open(); c.on('message', () => say('delivered')); c.on('disconnect', () => setTimeout(() => say('lost'), 300));
        say('ready'); const until = Date.now() + 500; while (Date.now() < until); c.disconnect();"""
    with start(program) as peer:
        peer.fact()
        peer.write(1)
        return str(peer.fact(3) or peer.end_of_it())


@observe(
    "lif-queued-callback",
    "LIF",
    "The callback of a message of 1 MiB that is not written when the channel ends",
)
def _queued_callback(start: Start) -> str:
    program = """const c = open(); c.on('message', () => {}); c.on('error', (e) => say('event ' + e.code));
        c.send('x'.repeat(1 << 20), (e) => say(e ? String(e.code) : 'no error')); setTimeout(() => say('not called'), 1500);"""
    with start(program) as peer:
        time.sleep(0.3)
        peer.read(3)
        peer.end.close()
        return str(peer.fact(3) or peer.end_of_it())


@observe("lif-send-peer-gone", "LIF", "`send` after a write has failed and before the end is read")
def _send_peer_gone(start: Start) -> str:
    program = """const c = open(); c.on('message', () => {}); c.on('error', (e) => say('event ' + e.code));
        c.on('disconnect', () => say('disconnect')); say('ready'); const until = Date.now() + 500; while (Date.now() < until);
        const first = attempt(() => c.send(1)); const second = attempt(() => c.send(2)); say(first + ', ' + second);"""
    with start(program) as peer:
        peer.fact()
        peer.end.close()
        return ", ".join(str(one) for one in iter(lambda: peer.fact(SILENCE), None))
