"""Language servers of Node, started with their IPC option."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nodechannel._rpc.peer import Peer, fork

# Requests of servers to a client; the empty answer lets the servers use their defaults.
_WITHOUT_ANSWER = (
    "client/registerCapability",
    "client/unregisterCapability",
    "window/workDoneProgress/create",
)


def answer_defaults(method: Callable[[str], Callable[[Any], Any]]) -> None:
    """Register answers to the usual requests of servers; `method` is a peer's decorator."""
    for name in _WITHOUT_ANSWER:
        method(name)(lambda _params: None)

    method("workspace/configuration")(lambda params: [None] * len(params["items"]))


def initialization(root: str | os.PathLike[str] | None, options: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of `initialize`."""
    uri = None if root is None else Path(root).resolve().as_uri()
    folders = None if uri is None else [{"uri": uri, "name": Path(os.fspath(root or "")).name}]
    given: dict[str, Any] = {
        "processId": os.getpid(),
        "rootUri": uri,
        "capabilities": {},
        "workspaceFolders": folders,
    }
    return {**given, **options}


async def start(
    script: str | os.PathLike[str],
    *args: str | os.PathLike[str],
    stdio: bool = False,
    **options: Any,
) -> Peer:
    """Start a language server's script with ``--node-ipc`` and talk to it; see `nodechannel.fork` for the options.

    With `stdio` it is started with ``--stdio`` and spoken to over its standard streams; see `nodechannel.stdio.fork`.
    """
    if stdio:
        peer = await fork(script, *args, "--stdio", stdio="headers", **options)
    else:
        peer = await fork(script, *args, "--node-ipc", **options)
    answer_defaults(peer.method)
    return peer


async def initialize(peer: Peer, root: str | os.PathLike[str] | None = None, **options: Any) -> Any:
    """Do the handshake: `initialize` with the parameters of the protocol, then `initialized`; return the server's capabilities."""
    answer = await peer.request("initialize", initialization(root, options))
    await peer.notify("initialized", {})
    return answer["capabilities"]


async def shutdown(peer: Peer) -> None:
    """Ask the server to end, as the protocol has it."""
    await peer.request("shutdown")
    await peer.notify("exit")
