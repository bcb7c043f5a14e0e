"""The rows about clusters: a runtime as a worker of our primary, and as the primary of our worker."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import time
from typing import TYPE_CHECKING, Any

from observations import ACK, connection, envelope, observe, row
from probe import SILENCE, Peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from observations import Start

CMD = "NODE_CLUSTER"
WORKER = {"NODE_UNIQUE_ID": "1"}
SOCKNAME = {"address": "127.0.0.1", "family": "IPv4", "port": 4321}

# Programs of a worker: each listens, and some do more when the server listens.
LISTEN = (
    "process.on('message', (m) => { if (m && m.probe) process.send(m); });"
    "const cluster = require('cluster');"
    "const server = net.createServer(() => {}).listen({ port: 0, host: '127.0.0.1' });"
)


def cluster(peer: Peer, seconds: float = 3.0) -> dict[str, Any]:
    """Return the next message of a cluster; one that stands for silence or nonsense is empty."""
    found = peer.line(seconds)
    return found if isinstance(found, dict) and found.get("cmd") == CMD else {}


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
    """Start a worker, and show what became of its first question."""

    def measure(start: Start) -> str:
        with start(program, env=WORKER) as peer:
            asked = question(peer)
            return show(peer, asked) if asked else "asks in another way"

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
)


def _unbound(peer: Peer, asked: dict[str, Any]) -> str:
    with socket.socket() as unbound:
        unbound.setblocking(False)
        message = {"cmd": CMD, "errno": 0, "key": "K", "ack": asked["seq"], "data": None, "seq": 0}
        peer.write(envelope("net.Native", message), unbound.fileno())
        return str(peer.fact(3))


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


# ---- primaries -------------------------------------------------------------------------------------------------

PRIMARY = (
    "const cluster = require('cluster'); const [first, ...words] = relay; const at = words.findIndex((w) => w === '-c');"
    "cluster.schedulingPolicy = cluster.SCHED_RR;"
    "(cluster.setupPrimary || cluster.setupMaster).call(cluster, { exec: '-c', args: words.slice(at + 1), execArgv: words.slice(0, at) });"
    "process.execPath = first; const worker = cluster.fork();"
    "worker.on('message', (m) => { if (m && m.probe) worker.send(m); });"
)
SHARED = PRIMARY.replace("SCHED_RR", "SCHED_NONE")
QUERY = {
    "index": 0,
    "data": None,
    "address": "127.0.0.1",
    "port": 0,
    "addressType": 4,
    "flags": 0,
    "backlog": 0,
}


def ask(peer: Peer, seq: int = 1, **members: Any) -> None:
    """Ask for a place."""
    peer.write({"cmd": CMD, "act": "queryServer", **QUERY, **members, "seq": seq})


def of_primary(act: Callable[[Peer], str], program: str = PRIMARY) -> Callable[[Start], str]:
    """Start a primary, be its worker."""

    def measure(start: Start) -> str:
        try:
            peer = start(program, role="parent")
        except TimeoutError:
            return "starts itself and not the worker"
        with peer:
            peer.write({"cmd": CMD, "act": "online", "seq": 0})
            return act(peer)

    return measure


def _answer_to(*messages: dict[str, Any], show: Callable[[dict[str, Any]], str]) -> Callable[[Peer], str]:
    def act(peer: Peer) -> str:
        for message in messages:
            peer.write({"cmd": CMD, **message})
        found = {}
        for _ in messages:
            found = cluster(peer, SILENCE * 2)
        if found:
            return show(found)
        _, fate = peer.settle()
        return "no answer" if fate == "lives" else fate

    return act


def _query(**members: Any) -> dict[str, Any]:
    return {"act": "queryServer", **QUERY, **members, "seq": 1}


def _errno(found: dict[str, Any]) -> str:
    return f"errno `{json.dumps(found['errno'])}`" if "errno" in found else "no `errno`"


def _key(found: dict[str, Any]) -> str:
    port = str(found.get("sockname", {}).get("port", "-"))
    return "`" + re.sub(rf":{port}:", ":PORT:", str(found.get("key"))) + "`"


def _fixed(peer: Peer) -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return _answer_to(_query(port=port), show=_key)(peer)


row("clu-key", "CLU", "`key` for a port that is given", of_primary(_fixed))
row("clu-key-any", "CLU", "`key` for port 0", of_primary(_answer_to(_query(), show=_key)))
row("clu-port-high", "CLU", "Asked for port 99999", of_primary(_answer_to(_query(port=99999), show=_errno)))
row(
    "clu-query-empty",
    "CLU",
    "Asked without any member",
    of_primary(_answer_to({"act": "queryServer", "seq": 1}, show=_errno)),
)
row(
    "clu-same-twice",
    "CLU",
    "Asked the same twice",
    of_primary(_answer_to(_query(), {**_query(), "seq": 2}, show=_errno)),
)
row(
    "clu-unknown-host",
    "CLU",
    "Asked for `no.such.host.invalid`",
    of_primary(_answer_to(_query(address="no.such.host.invalid"), show=_errno)),
)
row(
    "clu-prototype",
    "CLU",
    "An `act` that every object has: `__defineGetter__`",
    of_primary(_answer_to({"act": "__defineGetter__", "seq": 1}, show=str)),
)
for name in ("exitedAfterDisconnect", "suicide"):
    row(
        f"clu-{name.lower()}",
        "CLU",
        f"`{name}`",
        of_primary(_answer_to({"act": name, "seq": 1}, show=lambda found: f"answer {found.get('ack')}")),
    )
row(
    "clu-after-goodbye",
    "CLU",
    "Asked after the goodbye",
    of_primary(_answer_to({"act": "exitedAfterDisconnect", "seq": 1}, {**_query(), "seq": 2}, show=_errno)),
)


@observe("clu-primary-kill", "CLU", "`worker.kill()` in the primary writes")
def _primary_kill(start: Start) -> str:
    return of_primary(
        lambda peer: str(cluster(peer, SILENCE * 2).get("act", "nothing")),
        PRIMARY + "worker.on('online', () => worker.kill());",
    )(start)


def _busy(peer: Peer) -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ask(peer, port=taken.getsockname()[1])
        found = peer.line(3)
        inner = found.get("msg", found) if isinstance(found, dict) else {}
        number = peer.take_descriptor()
        if number is None:
            return _errno(inner) if inner else "no answer"
        with socket.socket(fileno=number) as sent:
            return f"{_errno(inner)}, a socket that is {'bound' if sent.getsockname()[1] else 'not bound'}"


row(
    "clu-busy-shared",
    "CLU",
    "Asked for a port that is taken, under the shared policy",
    of_primary(_busy, SHARED),
)


def _dies_with_offer(peer: Peer) -> str:
    ask(peer)
    port = cluster(peer).get("sockname", {}).get("port")
    if port is None:
        return "no answer"
    with socket.create_connection(("127.0.0.1", port)) as client:
        peer.line(3)
        peer.write(ACK)
        number = peer.take_descriptor()
        if number is not None:
            os.close(number)
        peer.end.close()
        peer.end_child()
        time.sleep(0.2)
        return "ends" if select.select([client], [], [], SILENCE)[0] else "is kept open"


row(
    "clu-dead-worker",
    "CLU",
    "A connection that was offered to a worker which ended without an answer",
    of_primary(_dies_with_offer, PRIMARY + "setInterval(() => {}, 1000);"),
)
