"""The reference's adapter for the conformance kit: rungs 1, 2 and 3 of conformance/README.md, over either front end.

The control loop is plain blocking code in the main thread. What differs between the front ends stands in `BlockingFrontEnd` and
`AsyncioFrontEnd`; both push what the library delivers through `report`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

import nodechannel
from nodechannel import asyncio as aio
from nodechannel.codec import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

CONTRACT = 1

CAPABILITIES = [
    f"{verb}:{type_}"
    for verb, types in {
        "receive": ("net.Server", "net.Socket", "dgram.Socket", "net.Native"),
        "send": ("net.Server", "net.Socket", "dgram.Socket"),
    }.items()
    for type_ in types
]

# How long, in seconds, a poke waits for the connection or the room that it needs.
POKE_LIMIT = 10.0

_output = threading.Lock()


def put(line: dict[str, Any]) -> None:
    """Write one control line completely."""
    data = encode(tag(line), unsafe_integers=True)
    with _output:
        while data:
            data = data[os.write(1, data) :]


def tag(value: object) -> object:
    """Copy a value, putting tags where JSON has no word; iterative, because a message may be nested deeper than the stack."""
    root: list[Any] = [None]
    todo: list[tuple[Any, Any, object]] = [(root, 0, value)]
    while todo:
        container, key, item = todo.pop()
        if isinstance(item, dict):
            copy: dict[str, Any] = dict.fromkeys(item)
            container[key] = (
                {"$": "object", "v": (pairs := [[k, None] for k in item])} if "$" in item else copy
            )
            todo += (
                [(pair, 1, item[pair[0]]) for pair in pairs]
                if "$" in item
                else [(copy, k, v) for k, v in item.items()]
            )
        elif isinstance(item, list):
            container[key] = [None] * len(item)
            todo += [(container[key], index, member) for index, member in enumerate(item)]
        elif isinstance(item, float) and (
            not math.isfinite(item) or (item == 0 and math.copysign(1, item) < 0)
        ):
            names = {math.inf: "Infinity", -math.inf: "-Infinity", 0.0: "-0"}
            container[key] = {"$": "number", "v": names.get(item, "NaN")}
        else:
            container[key] = item
    return root[0]


def untag(value: Any) -> Any:
    """Return what a tagged value stands for."""
    if isinstance(value, list):
        return [untag(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value.get("$"):
        case None:
            return {key: untag(member) for key, member in value.items()}
        case "number":
            return float(value["v"])
        case "object":
            return {key: untag(member) for key, member in value["v"]}
        case other:
            raise ValueError(f"Python has no value for the tag {other!r}")


def describe(error: Exception) -> dict[str, Any]:
    """Return an error as the contract has it."""
    blame = "remote" if isinstance(error, nodechannel.RemoteError) else "local"
    return {"blame": blame, "code": getattr(error, "code", type(error).__name__), "text": str(error)}


class Handles:
    """The sockets of the adapter, by name."""

    def __init__(self) -> None:
        self._sockets: dict[str, socket.socket] = {}
        self._numbers = itertools.count(1)

    def received(self, handle: nodechannel.ReceivedHandle) -> dict[str, str]:
        """Claim a received handle; return its description for the event."""
        name = f"h{next(self._numbers)}"
        self._sockets[name] = handle.socket(timeout=POKE_LIMIT)
        return {"name": name, "type": handle.type}

    def make(self, kind: str, name: str, to: str = "") -> str:
        """Make a socket to be sent; return its address."""
        if kind == "tcp-server":
            sock = socket.create_server(("127.0.0.1", 0))
        elif kind == "tcp-client":
            sock = socket.create_connection(parse_address(to))
        elif kind == "udp4":
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("127.0.0.1", 0))
        else:
            raise ValueError(f"cannot make {kind!r}")
        self._sockets[name] = sock
        host, port = sock.getsockname()
        return f"{host}:{port}"

    def find(self, name: str | None) -> socket.socket | None:
        """Return the socket of that name, None for no name."""
        return None if name is None else self._sockets[name]

    def poke(self, name: str, text: str, to: str = "") -> None:
        """Push `text` through a socket; on a server, through the next connection to it."""
        sock = self._sockets[name]
        if sock.type == socket.SOCK_DGRAM:
            sock.sendto(text.encode(), parse_address(to))
        elif sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            threading.Thread(target=serve_one, args=(sock, text), daemon=True).start()
        else:
            sock.sendall(text.encode())

    def close(self, name: str) -> None:
        """Close the socket of that name."""
        self._sockets.pop(name).close()


def serve_one(server: socket.socket, text: str) -> None:
    """Accept one connection and write `text` to it."""
    connection, _ = server.accept()
    with connection:
        connection.sendall(text.encode())


def parse_address(text: str) -> tuple[str, int]:
    """Return the host and port of ``host:port``."""
    host, _, port = text.rpartition(":")
    return host, int(port)


def report(handles: Handles, receive: Callable[[], nodechannel.Message]) -> bool:
    """Report the next thing that the library delivers; return whether there may be more."""
    try:
        message = receive()
        event: dict[str, Any] = {"event": "message", "message": message.data}
        if message.handle is not None:
            event["handle"] = handles.received(message.handle)
    except nodechannel.RemoteError as error:
        event = {"event": "error", **describe(error)}
    except nodechannel.ChannelClosed:
        put({"event": "disconnect"})
        return False
    put(event)
    return True


def report_exit(code: int) -> None:
    """Report the end of the child, from a return code of `subprocess`."""
    put({"event": "exit", "code": code if code >= 0 else None, "signal": nodechannel.sync.signal_name(code)})


class BlockingFrontEnd:
    """The subject: `nodechannel`, one thread that receives."""

    def __init__(self, handles: Handles) -> None:
        self._handles = handles

    def open(self, argv: list[str] | None) -> None:
        """Adopt the channel, or start a child with one."""
        self._channel = nodechannel.spawn(argv) if argv else nodechannel.connect()
        threading.Thread(target=self._receive, daemon=True).start()
        if isinstance(self._channel, nodechannel.ChildProcess):
            threading.Thread(
                target=lambda child: report_exit(child.wait()), args=(self._channel,), daemon=True
            ).start()

    def _receive(self) -> None:
        while report(self._handles, self._channel.receive):
            pass

    def send(self, message: object, handle: socket.socket | None, keep_open: bool) -> None:
        """Send; a message that must wait behind a handle counts as sent."""
        try:
            self._channel.send(message, handle, keep_open=keep_open, timeout=0)
        except nodechannel.SendTimeout:
            return

    def disconnect(self) -> None:
        """Begin to disconnect."""
        threading.Thread(target=self._channel.disconnect, daemon=True).start()


class AsyncioFrontEnd:
    """The subject: `nodechannel.asyncio`, in an event loop in a thread of its own."""

    def __init__(self, handles: Handles) -> None:
        self._handles = handles
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(self._loop.create_task(coroutine))

    def open(self, argv: list[str] | None) -> None:
        """Adopt the channel, or start a child with one."""
        self._run(self._open(argv))

    async def _open(self, argv: list[str] | None) -> None:
        self._channel = await aio.spawn(argv) if argv else await aio.connect()
        self._start(self._receive())
        if isinstance(self._channel, aio.ChildProcess):
            self._start(self._wait(self._channel))

    async def _receive(self) -> None:
        more = True
        while more:
            try:
                message = await self._channel.receive()
            except nodechannel.ChannelError as error:
                more = report(self._handles, raiser(error))
            else:
                more = report(self._handles, lambda message=message: message)  # type: ignore[misc]

    async def _wait(self, child: aio.ChildProcess) -> None:
        report_exit(await child.wait())

    def send(self, message: object, handle: socket.socket | None, keep_open: bool) -> None:
        """Send."""
        self._run(self._send(message, handle, keep_open))

    async def _send(self, message: object, handle: socket.socket | None, keep_open: bool) -> None:
        await self._channel.send(message, handle, keep_open=keep_open)

    def disconnect(self) -> None:
        """Begin to disconnect."""
        self._loop.call_soon_threadsafe(lambda: self._start(self._channel.disconnect()))


def raiser(error: Exception) -> Callable[[], nodechannel.Message]:
    """Return a function that raises `error`."""

    def raise_it() -> nodechannel.Message:
        raise error

    return raise_it


class Control:
    """The commands of the contract."""

    def __init__(self, front_end: BlockingFrontEnd | AsyncioFrontEnd, handles: Handles, name: str) -> None:
        self._front_end = front_end
        self._handles = handles
        self._name = name

    def run(self, line: dict[str, Any]) -> dict[str, Any]:
        """Carry out one command; return its reply."""
        fields = {key: value for key, value in line.items() if key not in ("id", "command")}
        command = getattr(self, f"do_{line['command']}", None)
        if command is None:
            return {"id": line["id"], "ok": False, "unsupported": True}
        try:
            return {"id": line["id"], "ok": True, **(command(**fields) or {})}
        except (nodechannel.ChannelError, OSError, ValueError, LookupError) as error:
            return {"id": line["id"], "ok": False, "error": describe(error)}

    def do_hello(self, contract: int) -> dict[str, Any]:
        """Introduce the subject."""
        if contract != CONTRACT:
            raise ValueError(f"this adapter speaks contract {CONTRACT}")
        return {
            "contract": CONTRACT,
            "name": self._name,
            "version": nodechannel.__version__,
            "language": "Python",
            "roles": ["child", "parent"],
            "rung": 3,
            "capabilities": CAPABILITIES,
        }

    def do_open(self, argv: list[str] | None = None) -> None:
        """Open the channel."""
        self._front_end.open(argv)

    def do_send(self, message: Any, handle: str | None = None, keepOpen: bool = False) -> None:  # noqa: N803
        """Send a message."""
        self._front_end.send(untag(message), self._handles.find(handle), keepOpen)

    def do_disconnect(self) -> None:
        """Disconnect."""
        self._front_end.disconnect()

    def do_make(self, kind: str, name: str, to: str = "") -> dict[str, str]:
        """Make a socket."""
        return {"address": self._handles.make(kind, name, to)}

    def do_poke(self, handle: str, text: str, to: str = "") -> None:
        """Use a socket."""
        self._handles.poke(handle, text, to)

    def do_close(self, handle: str) -> None:
        """Close a socket."""
        self._handles.close(handle)

    def do_exit(self, code: int) -> None:
        """End the process, leaving threads where they are."""
        os._exit(code)


def main() -> None:
    """Serve the control channel until it ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asyncio", action="store_true", help="use the asyncio front end")
    use_asyncio = parser.parse_args().asyncio
    handles = Handles()
    front_end = AsyncioFrontEnd(handles) if use_asyncio else BlockingFrontEnd(handles)
    control = Control(front_end, handles, "nodechannel.asyncio" if use_asyncio else "nodechannel")
    for line in sys.stdin.buffer:
        put(control.run(decode(line)))
    os._exit(0)


if __name__ == "__main__":
    main()
