"""Chapter 90: a runtime is a worker of our primary."""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Any

from measure.chapters.clustering import CMD, cluster
from measure.peer import SILENCE, Peer
from measure.sockets import connection
from measure.table import Start, observe, row
from measure.ways import envelope

if TYPE_CHECKING:
    from collections.abc import Callable

WORKER = {"NODE_UNIQUE_ID": "1"}
SOCKNAME = {"address": "127.0.0.1", "family": "IPv4", "port": 4321}

# Programs of a worker: each listens, and some do more when the server listens.
LISTEN = (
    "process.on('message', (m) => { if (m && m.probe) process.send(m); });"
    "const cluster = require('cluster');"
    "const server = net.createServer(() => {}).listen({ port: 0, host: '127.0.0.1' });"
)


def question(peer: Peer) -> dict[str, Any]:
    """Return the first `queryServer` of a worker; empty when none comes."""
    for _ in range(3):
        found = cluster(peer)
        if found.get("act") == "queryServer":
            return found
    return {}


def grant(peer: Peer, asked: dict[str, Any]) -> None:
    """Answer a question as a primary that listens itself."""
    peer.write(
        {
            "cmd": CMD,
            "errno": None,
            "key": "K",
            "ack": asked.get("seq"),
            "data": None,
            "sockname": SOCKNAME,
            "seq": 0,
        }
    )


def of_worker(program: str, show: Callable[[Peer, dict[str, Any]], str]) -> Callable[[Start], str]:
    """Start a worker, and look at its first question."""

    def measure(start: Start) -> str:
        with start(program, env=WORKER) as peer:
            asked = question(peer)
            return show(peer, asked) if asked else "asks in another way"

    return measure


def _asks(program: str) -> Callable[[Start], str]:
    """Start a worker, and look whether it asks before its server listens."""

    def measure(start: Start) -> str:
        with start(f"{program} server.on('listening', () => say('listens'));", env=WORKER) as peer:
            if cluster(peer).get("act") != "online":
                return "speaks in another way"
            asked = cluster(peer, SILENCE)
            if asked.get("act") == "queryServer":
                return "asks"
            return f"asks nothing, {peer.fact()}"

    return measure


@observe("clu-first", "CLU", "First line of a worker")
def _first(start: Start) -> str:
    with start(LISTEN, env=WORKER) as peer:
        raw = peer.raw_line(3) or b""
        return f"`{raw.decode('latin-1').encode('unicode_escape').decode()}`"


row(
    "clu-members",
    "CLU",
    "Members of `queryServer` for TCP",
    of_worker(
        LISTEN, lambda _, asked: ", ".join(name for name in asked if name not in ("cmd", "act", "seq"))
    ),
)
row(
    "clu-backlog",
    "CLU",
    "`backlog` with a callback of `listen(port, host, callback)`",
    of_worker(
        LISTEN.replace("{ port: 0, host: '127.0.0.1' }", "0, '127.0.0.1', () => {}"),
        lambda _, asked: f"`{str(asked['backlog']).lower()}`" if "backlog" in asked else "absent",
    ),
)
row(
    "clu-backlog-listener",
    "CLU",
    "`backlog` with a listener for `listening`",
    of_worker(
        LISTEN.replace(
            "net.createServer(() => {})", "net.createServer(() => {}).on('listening', () => {})"
        ).replace("{ port: 0, host: '127.0.0.1' }", "0, '127.0.0.1'"),
        lambda _, asked: f"`{str(asked['backlog']).lower()}`" if "backlog" in asked else "absent",
    ),
)
for option in ("exclusive", "reusePort"):
    row(
        f"clu-{option.lower()}",
        "CLU",
        f"A server that listens with `{option}`",
        _asks(LISTEN.replace("port: 0", f"port: 0, {option}: true")),
    )
row(
    "clu-flags",
    "CLU",
    "`flags` with `ipv6Only`",
    of_worker(
        LISTEN.replace("host: '127.0.0.1'", "host: '::', ipv6Only: true"),
        lambda _, asked: f"`{asked.get('flags')}`",
    ),
)


def _full(peer: Peer, asked: dict[str, Any]) -> str:
    grant(peer, asked)
    cluster(peer)
    answers = []
    for number in (1, 2):
        with connection() as (one, _):
            message = {"cmd": CMD, "act": "newconn", "key": "K", "seq": number}
            peer.write(envelope("net.Native", message), one.fileno())
            peer.line(3)
            answers.append(cluster(peer).get("accepted"))
    return ", ".join(str(answer).lower() for answer in answers)


row(
    "clu-max-connections",
    "CLU",
    "Two connections for a server with `maxConnections` 1: `accepted`",
    of_worker(LISTEN + "server.maxConnections = 1;", _full),
)


def _unknown_key(peer: Peer, asked: dict[str, Any]) -> str:
    grant(peer, asked)
    cluster(peer)
    with connection() as (one, other):
        message = {"cmd": CMD, "act": "newconn", "key": "other", "seq": 1}
        peer.write(envelope("net.Native", message), one.fileno())
        one.close()
        peer.line(3)
        accepted = cluster(peer).get("accepted")
        ended = bool(select.select([other], [], [], SILENCE)[0])
        return f"accepted: {str(accepted).lower()}, {'closed' if ended else 'kept open'}"


row("clu-unknown-key", "CLU", "A connection of an unknown `key`", of_worker(LISTEN, _unknown_key))


def _plain_offer(peer: Peer, asked: dict[str, Any]) -> str:
    grant(peer, asked)
    cluster(peer)
    peer.write({"cmd": CMD, "act": "newconn", "key": "K", "seq": 1})
    accepted = cluster(peer).get("accepted")
    _, fate = peer.settle()
    return f"accepted: {str(accepted).lower()}, {fate}"


row("clu-plain-offer", "CLU", "`newconn` without a connection", of_worker(LISTEN, _plain_offer))


def _closed_at_once(peer: Peer, asked: dict[str, Any]) -> str:
    grant(peer, asked)
    return ", ".join(str(found.get("act")) for found in iter(lambda: cluster(peer, SILENCE), {}))


row(
    "clu-closed-at-once",
    "CLU",
    "Messages after the answer when the server was closed before it",
    of_worker(
        LISTEN + "server.once('listening', () => server.close()); setInterval(() => {}, 1000);",
        _closed_at_once,
    ),
)


def _killed(peer: Peer, asked: dict[str, Any]) -> str:
    grant(peer, asked)
    said = []
    while (found := cluster(peer, SILENCE)) or not peer.ended:
        if not found:
            break
        said.append(found["act"])
        if found["act"] in ("exitedAfterDisconnect", "suicide"):
            peer.write({"cmd": CMD, "ack": found["seq"], "seq": 1})
    return ", ".join([*said, peer.end_of_it()])


row(
    "clu-worker-kill",
    "CLU",
    "`cluster.worker.kill()` once the server listens",
    of_worker(LISTEN + "server.once('listening', () => cluster.worker.kill());", _killed),
    older=True,
)


def _unbound(peer: Peer, asked: dict[str, Any]) -> str:
    with socket.socket() as unbound:
        unbound.setblocking(False)
        message = {"cmd": CMD, "errno": 0, "key": "K", "ack": asked["seq"], "data": None, "seq": 0}
        peer.write(envelope("net.Native", message), unbound.fileno())
        told = str(peer.fact(3))
        peer.line(SILENCE)
        return told


row(
    "clu-unbound",
    "CLU",
    "A shared socket that is not bound, for port 4321",
    of_worker(
        LISTEN.replace("port: 0", "port: 4321")
        + "server.on('error', (e) => say(e.code)).on('listening', () => say('listens'));",
        _unbound,
    ),
)


def _unbound_lines(peer: Peer, asked: dict[str, Any]) -> str:
    _unbound(peer, asked)
    acts = [str(found.get("act")) for found in iter(lambda: cluster(peer, SILENCE), {})]
    return ", ".join(acts) or "nothing"


row(
    "clu-unbound-lines",
    "CLU",
    "The same: messages of the cluster after the acknowledgement",
    of_worker(
        LISTEN.replace("port: 0", "port: 4321")
        + "server.on('error', (e) => say(e.code)); setInterval(() => {}, 1000);",
        _unbound_lines,
    ),
)


# ---- identity ------------------------------------------------------------------------------------------------------

IDENTITY = (
    "const cluster = require('cluster'); say(cluster.isWorker ? 'worker ' + (cluster.worker && cluster.worker.id) : 'no worker');"
    "net.createServer().listen(0, '127.0.0.1');"
)


def _identity(value: str | None) -> Callable[[Start], str]:
    """A child that listens and is started with this `NODE_UNIQUE_ID`."""

    def measure(start: Start) -> str:
        with start(IDENTITY, env={} if value is None else {"NODE_UNIQUE_ID": value}) as peer:
            told = peer.fact(3)
            return f"{told}, {'asks' if question(peer) else 'does not ask'}" if told else peer.end_of_it()

    return measure


for id_, value in (
    ("none", None),
    ("empty", ""),
    ("word", "abc"),
    ("wraps", str((1 << 32) + 5)),
    ("minus", "-1"),
):
    shown = (
        "No `NODE_UNIQUE_ID`"
        if value is None
        else f"`NODE_UNIQUE_ID` is `{value}`"
        if value
        else "It is empty"
    )
    row(f"clu-id-{id_}", "CLU", shown, _identity(value))


@observe("clu-variable", "CLU", "`NODE_UNIQUE_ID` in the environment of a worker once it runs")
def _variable(start: Start) -> str:
    program = "require('cluster'); say(process.env.NODE_UNIQUE_ID === undefined ? 'is removed' : 'is there')"
    with start(program, env=WORKER) as peer:
        return str(peer.fact(3) or peer.end_of_it())


# ---- answers --------------------------------------------------------------------------------------------------------

EVENTS = "server.on('error', (error) => say(error.code)).on('listening', () => say('listens'));"


def _answered(**members: Any) -> Callable[[Start], str]:
    """The answer to a question, with these members in place of those that it has."""

    def show(peer: Peer, asked: dict[str, Any]) -> str:
        answer = {
            "errno": None,
            "key": "K",
            "ack": asked["seq"],
            "data": None,
            "sockname": SOCKNAME,
            **members,
        }
        peer.write(
            {"cmd": CMD, "seq": 0, **{name: value for name, value in answer.items() if value != ABSENT}}
        )
        told = peer.fact(SILENCE) or peer.end_of_it()
        return "waits" if told == "silent" else str(told)

    return of_worker(LISTEN + EVENTS, show)


ABSENT = object()
row("clu-answer-no-ack", "CLU", "An answer without `ack`", _answered(ack=ABSENT))
row("clu-answer-errno", "CLU", "An answer with `errno` -98", _answered(errno=-98, sockname=ABSENT))
row("clu-answer-positive", "CLU", "An answer with `errno` 98", _answered(errno=98, sockname=ABSENT))


@observe("clu-answer-no-sockname", "CLU", "`server.address()` after an answer without `sockname`")
def _no_sockname(start: Start) -> str:
    program = LISTEN + "server.on('listening', () => say(text(server.address())));"
    with start(program, env=WORKER) as peer:
        asked = question(peer)
        if not asked:
            return "asks in another way"
        peer.write({"cmd": CMD, "errno": None, "key": "K", "ack": asked["seq"], "data": None, "seq": 0})
        return str(peer.fact(3) or peer.end_of_it())


@observe(
    "clu-second-socket", "CLU", "Two questions about one port are answered by the same socket: the worker"
)
def _second_socket(start: Start) -> str:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.setblocking(False)
        port = bound.getsockname()[1]
        listen = LISTEN.replace("port: 0", f"port: {port}")
        program = listen + f"net.createServer(() => {{}}).listen({{ port: {port}, host: '127.0.0.1' }});"
        with start(program, env=WORKER) as peer:
            for _ in range(2):
                asked = question(peer)
                if not asked:
                    return "asks in another way"
                message = {"cmd": CMD, "errno": 0, "key": "K", "ack": asked["seq"], "data": None, "seq": 0}
                peer.write(envelope("net.Native", message), bound.fileno())
            return peer.settle()[1]


# ---- the end --------------------------------------------------------------------------------------------------------


@observe("clu-orphan", "CLU", "The channel of a worker that serves a connection ends: the worker")
def _orphan(start: Start) -> str:
    with start(LISTEN + "process.on('disconnect', () => say('disconnect'));", env=WORKER) as peer:
        asked = question(peer)
        if not asked:
            return "asks in another way"
        grant(peer, asked)
        cluster(peer)
        with connection() as (one, _):
            peer.write(
                envelope("net.Native", {"cmd": CMD, "act": "newconn", "key": "K", "seq": 1}), one.fileno()
            )
            peer.line(3)
            cluster(peer)
            peer.end.close()
            told = peer.fact(SILENCE)
            fate = (
                "exits 0" if peer.end_of_it() == "ends the channel" and peer.process.poll() == 0 else "lives"
            )
            return f"{fate}, {'with' if told else 'without'} an event `disconnect` of `process`"


@observe("clu-no-goodbye", "CLU", "`cluster.worker.disconnect()` and no answer to `exitedAfterDisconnect`")
def _no_goodbye(start: Start) -> str:
    program = LISTEN + "server.once('listening', () => cluster.worker.disconnect());"
    with start(program, env=WORKER) as peer:
        asked = question(peer)
        if not asked:
            return "asks in another way"
        grant(peer, asked)
        said_ = [found.get("act") for found in iter(lambda: cluster(peer, SILENCE), {})]
        return (
            f"{'waits' if not peer.ended else 'ends the channel'} after {said_[-1] if said_ else 'nothing'}"
        )
