"""Chapter 90: a runtime is a primary, and its worker is ours."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import time
from typing import TYPE_CHECKING, Any

from measure.chapters.clustering import CMD, cluster
from measure.peer import SILENCE, Peer
from measure.table import Start, observe, row
from measure.words import ACK

if TYPE_CHECKING:
    from collections.abc import Callable

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


# ---- events of its program ---------------------------------------------------------------------------------------


def _event(program: str, *messages: dict[str, Any]) -> Callable[[Start], str]:
    """Does a primary emit its event before our worker writes these messages, or with them?"""

    def measure(start: Start) -> str:
        try:
            peer = start(PRIMARY + program, role="parent")
        except TimeoutError:
            return "starts itself and not the worker"
        with peer:
            before = peer.fact(SILENCE)
            for message in messages:
                peer.write({"cmd": CMD, **message})
            after = peer.fact(SILENCE)
            return "before it" if before else "with it" if after else "never"

    return measure


ONLINE = {"act": "online", "seq": 0}
row(
    "clu-online",
    "CLU",
    "The event `online` comes with `online`",
    _event("worker.on('online', () => say('online'));", ONLINE),
)
row(
    "clu-listening",
    "CLU",
    "The event `listening` comes with `listening`",
    _event(
        "worker.on('listening', () => say('listening'));",
        ONLINE,
        {**QUERY, "act": "queryServer", "seq": 1},
        {**QUERY, "act": "listening", "port": 4321, "seq": 2},
    ),
)


@observe("clu-default-policy", "CLU", "The policy unless another one is chosen")
def _default_policy(start: Start) -> str:
    program = """const cluster = require('cluster');
        say(cluster.schedulingPolicy === cluster.SCHED_RR ? 'round robin' : 'shared')"""
    with start(program) as peer:
        return str(peer.fact(3) or peer.end_of_it())


# ---- questions ------------------------------------------------------------------------------------------------------


@observe(
    "clu-query-without",
    "CLU",
    "Asked without one of `index`, `data`, `address`, `port`, `addressType`: the primary",
)
def _query_without(start: Start) -> str:
    fates: dict[str, list[str]] = {}
    for name in ("index", "data", "address", "port", "addressType"):
        message = {key: value for key, value in _query().items() if key != name}
        fates.setdefault(of_primary(_fate_after(message))(start), []).append(name)
    return "; ".join(
        f"{fate} ({', '.join(names)})" if len(fates) > 1 else fate for fate, names in fates.items()
    )


def _fate_after(message: dict[str, Any]) -> Callable[[Peer], str]:
    def act(peer: Peer) -> str:
        peer.write({"cmd": CMD, **message})
        return peer.settle()[1]

    return act


def _unix_instead(port: Any) -> Callable[[Start], str]:
    """A question with a port that is none, and an address that looks like the name of a file."""

    def act(peer: Peer) -> str:
        message = _query(address="chosen-by-the-worker", port=port)
        if port is ABSENT:
            del message["port"]
        peer.write({"cmd": CMD, **message})
        found = cluster(peer, SILENCE)
        there = (peer.folder / "chosen-by-the-worker").exists()
        if there:
            return "listens on a Unix socket of this name"
        return _errno(found) if found else "no answer"

    return of_primary(act)


ABSENT = object()
for id_, shown, port in (
    ("absent", "no `port`", ABSENT),
    ("negative", "`port` -1", -1),
    ("word", '`port` `"x"`', "x"),
):
    row(
        f"clu-port-{id_}",
        "CLU",
        f"Asked with {shown} and the `address` `chosen-by-the-worker`",
        _unix_instead(port),
    )


def _place(peer: Peer, seq: int, **members: Any) -> tuple[int, str]:
    """Ask for a place; return the number of the socket's inode, 0 when none comes, and the `errno`."""
    ask(peer, seq=seq, **members)
    found = peer.line(SILENCE * 2)
    if not isinstance(found, dict):
        return 0, peer.settle()[1]
    number = peer.take_descriptor()
    if number is None:
        return 0, _errno(found)
    inode = os.fstat(number).st_ino
    os.close(number)
    peer.write(ACK)
    return inode, _errno(found["msg"])


def _same_socket(peer: Peer, one: dict[str, Any], two: dict[str, Any]) -> str:
    first, _ = _place(peer, 1, **one)
    second, shown = _place(peer, 2, **two)
    if not second:
        return shown
    return f"{shown} and {'the same socket' if first == second else 'another socket'}"


def _twice(peer: Peer) -> str:
    """A worker asks for the same port for two servers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return _same_socket(peer, {"port": port, "index": 0}, {"port": port, "index": 1})


row(
    "clu-port-twice",
    "CLU",
    "Asked for a port twice, with `index` 0 and 1: the second answer",
    of_primary(_twice),
)
row("clu-port-twice-shared", "CLU", "The same under the shared policy", of_primary(_twice, SHARED))


row(
    "clu-same-twice-shared",
    "CLU",
    "Asked the same twice under the shared policy",
    of_primary(lambda peer: _same_socket(peer, {}, {}), SHARED),
)


def _long_path(peer: Peer) -> str:
    folder = peer.folder / ("d" * 60)
    folder.mkdir()
    ask(peer, address=str(folder / ("s" * 20)), port=-1, addressType=-1)
    found = peer.line(SILENCE * 2)
    number = peer.take_descriptor()
    if number is None or not isinstance(found, dict):
        return "no answer"
    with socket.socket(fileno=number) as sent:
        return "the path that was asked for" if sent.getsockname().startswith("/") else "a relative path"


row(
    "clu-unix-name",
    "CLU",
    "Asked for a Unix path that is longer than a relative one, under the shared policy: the socket has",
    of_primary(_long_path, SHARED),
)


# ---- connections -----------------------------------------------------------------------------------------------------


def _offers(peer: Peer, clients: int) -> tuple[list[socket.socket], int | None, dict[str, Any]]:
    """Connect some clients; return them, the first socket that was offered, and the offer."""
    ask(peer)
    port = cluster(peer).get("sockname", {}).get("port")
    if port is None:
        return [], None, {}
    connected = [socket.create_connection(("127.0.0.1", port)) for _ in range(clients)]
    offer = peer.line(3)
    peer.write(ACK)
    return connected, peer.take_descriptor(), offer["msg"] if isinstance(offer, dict) else {}


def _one_at_a_time(peer: Peer) -> str:
    clients, number, _ = _offers(peer, 2)
    second = peer.line(SILENCE)
    for one in clients:
        one.close()
    if number is None:
        return "no answer"
    os.close(number)
    return "none" if second is None else "another"


row(
    "clu-one-offer",
    "CLU",
    "Offers to a worker that has not answered the first one",
    of_primary(_one_at_a_time),
)


def _copy(accepted: bool) -> Callable[[Peer], str]:
    """Does the client see the end when the worker has closed the connection?"""

    def act(peer: Peer) -> str:
        clients, number, offer = _offers(peer, 1)
        if number is None:
            return "no answer"
        if accepted:
            peer.write({"cmd": CMD, "ack": offer["seq"], "accepted": True, "seq": 5})
            peer.settle()
        os.close(number)
        ended = bool(select.select([clients[0]], [], [], SILENCE)[0])
        clients[0].close()
        return "sees the end" if ended else "does not see the end"

    return act


row(
    "clu-copy-unanswered",
    "CLU",
    "A worker closes a connection before it answers the offer: the client",
    of_primary(_copy(accepted=False)),
)
row(
    "clu-copy-accepted", "CLU", "The same after it has accepted: the client", of_primary(_copy(accepted=True))
)


def _refusals(peer: Peer) -> str:
    clients, number, offer = _offers(peer, 1)
    if number is None:
        return "no answer"
    deadline = time.monotonic() + SILENCE
    count = 0
    while time.monotonic() < deadline:
        os.close(number)
        peer.write({"cmd": CMD, "ack": offer["seq"], "accepted": False, "seq": 5})
        found = peer.line(SILENCE)
        number = peer.take_descriptor()
        if number is None or not isinstance(found, dict):
            break
        offer = found["msg"]
        peer.write(ACK)
        count += 1
    if number is not None:
        os.close(number)
    clients[0].close()
    return "more than twenty" if count > 20 else str(count)


row(
    "clu-refusals",
    "CLU",
    "Offers within a second to the only worker, which refuses each",
    of_primary(_refusals),
)
