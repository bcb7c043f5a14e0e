"""The reference's adapter for the conformance kit: rungs 1, 2 and 3 of conformance/README.md.

Usage: adapter.py [--asyncio]. The control loop is plain blocking code in the main thread; the differences between the front ends stand in
`blocking.py` and `with_asyncio.py`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

from mode import from_contract

import nodechannel
from control import describe, put
from nodechannel._json.codec import decode
from sockets import Handles

if TYPE_CHECKING:
    import subprocess

CONTRACT = 1

CAPABILITIES = [
    *(f"receive:{type_}" for type_ in nodechannel.HandleType),
    "socket-lists",
    "ask-socket-lists",
    "start",
    "env",
    *(f"send:{type_}" for type_ in ("net.Server", "net.Socket", "dgram.Socket")),
]


class FrontEnd(Protocol):
    """The methods that both front ends have for the adapter."""

    name: str

    def open(self, argv: list[str] | None, env: dict[str, str] | None) -> None:
        """Adopt the channel, or start a child with a channel."""

    def send(self, message: object, handle: Any, keep_open: bool, key: str | None) -> None:
        """Send a message."""

    def get_connections(self, key: str) -> int:
        """Ask for the number of connections that are open at the far end."""

    def disconnect(self) -> None:
        """Begin to disconnect."""


class Control:
    """The commands of the contract."""

    def __init__(self, front_end: FrontEnd, handles: Handles) -> None:
        self._front_end = front_end
        self._handles = handles
        self._started: list[subprocess.Popen[bytes]] = []

    def run(self, line: dict[str, Any]) -> dict[str, Any]:
        """Carry out a command; return its reply."""
        fields = {key: value for key, value in line.items() if key not in ("id", "command")}
        command = getattr(self, f"do_{line['command']}", None)
        if command is None:
            return {"id": line["id"], "ok": False, "unsupported": True}
        try:
            return {"id": line["id"], "ok": True, **(command(**fields) or {})}
        except NotImplementedError:
            return {"id": line["id"], "ok": False, "unsupported": True}
        except (nodechannel.ChannelError, OSError, ValueError, LookupError) as error:
            return {"id": line["id"], "ok": False, "error": describe(error)}

    def do_hello(self, contract: int) -> dict[str, Any]:
        """Introduce the subject."""
        if contract != CONTRACT:
            raise ValueError(f"this adapter speaks contract {CONTRACT}")
        return {
            "contract": CONTRACT,
            "name": self._front_end.name,
            "version": nodechannel.__version__,
            "language": "Python",
            "roles": ["child", "parent"],
            "rung": 3,
            "capabilities": CAPABILITIES,
        }

    def do_open(self, argv: list[str] | None = None, env: dict[str, str] | None = None) -> None:
        """Open the channel."""
        self._front_end.open(argv, {**os.environ, **env} if env else None)

    def do_send(self, message: Any, handle: str | None = None, keepOpen: bool = False) -> None:  # noqa: N803
        """Send a message."""
        self._front_end.send(
            from_contract(message),
            self._handles.find(handle),
            keepOpen,
            self._handles.key(handle),
        )

    def do_disconnect(self) -> None:
        """Disconnect."""
        self._front_end.disconnect()

    def do_make(self, kind: str, name: str, to: str = "") -> dict[str, str]:
        """Make a socket."""
        return {"address": self._handles.make(kind, name, to)}

    def do_prove(self, handle: str, text: str, to: str = "") -> None:
        """Use a socket."""
        self._handles.prove(handle, text, to)

    def do_close(self, handle: str) -> None:
        """Close a socket."""
        self._handles.close(handle)

    def do_accept(self, handle: str, name: str) -> None:
        """Take a connection."""
        self._handles.accept(handle, name)

    def do_getConnections(self, handle: str) -> dict[str, int]:  # noqa: N802
        """Ask for connections that were handed over."""
        return {"count": self._front_end.get_connections(self._handles.key_of(handle))}

    def do_start(self, argv: list[str]) -> None:
        """Start a process without a channel, which inherits all that can be inherited."""
        import subprocess  # few adapters start a process, and each start of an adapter counts

        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, close_fds=False)
        self._started.append(process)

    def do_exit(self, code: int) -> None:
        """End the process, leaving threads where they are."""
        os._exit(code)


def front_end(handles: Handles, options: list[str]) -> FrontEnd:
    """Import and return the front end that the command line asks for."""
    if options == ["--asyncio"]:
        import with_asyncio

        return with_asyncio.FrontEnd(handles)
    import blocking

    return blocking.FrontEnd(handles)


def main() -> None:
    """Serve the control channel until it ends."""
    handles = Handles()
    control = Control(front_end(handles, sys.argv[1:]), handles)
    for line in sys.stdin.buffer:
        put(control.run(decode(line)))
    os._exit(0)


if __name__ == "__main__":
    main()
