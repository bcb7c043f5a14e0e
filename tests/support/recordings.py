"""Small recordings in the words of a test: the writer, the bytes and the descriptors of each entry."""

from __future__ import annotations

import json
from typing import Any

from channelkit.lint.linter import lint
from channelkit.tap.record import DOWN, UP, Entry

HEADER: dict[str, Any] = {
    "ctap": 1,
    "command": ["child"],
    "mode": "json",
    "modes": ["json"],
    "number": ["3"],
    "socket": {"family": "AF_UNIX", "type": "SOCK_STREAM", "connected": True, "blocking": True},
}
ADVANCED = {"mode": "advanced", "modes": ["advanced"]}
WORKER = {"worker": "1"}


def descriptor(kind: str = "stream", **members: Any) -> dict[str, Any]:
    return {"kind": kind, "inode": 1, "blocking": False, "family": "IPv4", "local": "127.0.0.1:80", **members}


TCP, SERVER, UDP, FILE = (descriptor(kind) for kind in ("stream", "server", "datagram", "other"))

Act = tuple[str, bytes, tuple[dict[str, Any], ...]]


def p(*values: Any, fds: tuple[dict[str, Any], ...] = ()) -> Act:
    """The parent writes messages, or bytes as they are."""
    return DOWN, _bytes(values), fds


def c(*values: Any, fds: tuple[dict[str, Any], ...] = ()) -> Act:
    """The child writes."""
    return UP, _bytes(values), fds


def _bytes(values: tuple[Any, ...]) -> bytes:
    return b"".join(
        one if isinstance(one, bytes) else json.dumps(one, separators=(",", ":")).encode() + b"\n"
        for one in values
    )


WAIT: Act = ("wait", b"", ())


def close(way: str, how: str = "closed") -> Act:
    return "end", f"{way} {how}".encode(), ()


def entries(*acts: Act) -> list[Entry]:
    made, now = [], 0
    for kind, data, fds in acts:
        now += 1000
        if kind == "wait":
            now += 2_000_000
        elif kind == "end":
            way, how = data.decode().split()
            made.append(Entry(now, way, end=how))
        elif kind == "note":
            made.append(Entry(now, note=data.decode()))
        else:
            made.append(Entry(now, kind, data, fds))
    return made


def broken(*acts: Act, **header: Any) -> set[str]:
    return {found.rule for found in lint({**HEADER, **header}, entries(*acts))}


def envelope(kind: str = "net.Socket", msg: Any = "m", **members: Any) -> dict[str, Any]:
    return {"cmd": "NODE_HANDLE", "type": kind, "msg": msg, **members}


ACK, NACK = {"cmd": "NODE_HANDLE_ACK"}, {"cmd": "NODE_HANDLE_NACK"}
SENT = p(envelope(), fds=(TCP,))
KEYED = (p(envelope(key="k"), fds=(TCP,)), c(ACK))


def about(command: str, key: Any = "k", **members: Any) -> dict[str, Any]:
    return {"cmd": f"NODE_SOCKET_{command}", "key": key, **members}


def cluster(seq: int, act: str = "", **members: Any) -> dict[str, Any]:
    return {"cmd": "NODE_CLUSTER", **({"act": act} if act else {}), **members, "seq": seq}


def query(seq: int, port: Any = 0, **members: Any) -> dict[str, Any]:
    place = {"index": 0, "data": None, "address": "::", "port": port, "addressType": 4, **members}
    return cluster(seq, "queryServer", **place)


def got(seq: int, ack: int, errno: Any = None, **members: Any) -> dict[str, Any]:
    answer = {"errno": errno, "key": "K", "data": None, "sockname": {"port": 80}, **members}
    return cluster(seq, ack=ack, **{name: value for name, value in answer.items() if value != "absent"})


ONLINE = c(cluster(0, "online"))
OPEN = (ONLINE, c(query(1)), p(got(0, 1)))
LISTENING = cluster(2, "listening", index=0, address="::", port=80, addressType=4)
OFFER = p(envelope("net.Native", cluster(1, "newconn", key="K")), fds=(TCP,))
