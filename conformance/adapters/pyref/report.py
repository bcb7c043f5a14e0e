"""The messages and errors of the library, as events of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mode import to_contract

import nodechannel
from control import describe, put
from nodechannel._start.ending import signal_name

if TYPE_CHECKING:
    from sockets import Handles


def report(delivered: nodechannel.Message | nodechannel.ChannelError, handles: Handles) -> bool:
    """Report the next message or error of the library; return whether more may follow."""
    if isinstance(delivered, nodechannel.ChannelClosed):
        put({"event": "disconnect"})
        return False
    try:
        put(event_of(delivered, handles))
    except nodechannel.RemoteError as error:  # the handle does not fit its type
        put({"event": "error", **describe(error)})
    return True


def event_of(delivered: nodechannel.Message | nodechannel.ChannelError, handles: Handles) -> dict[str, Any]:
    """Return the event for a message or an error; raises `HandleMismatch`."""
    if isinstance(delivered, nodechannel.ChannelError):
        return {"event": "error", **describe(delivered)}
    event: dict[str, Any] = {"event": "message", "message": to_contract(delivered.data)}
    if delivered.handle is not None:
        event["handle"] = handles.received(delivered.handle)
    return event


def report_exit(code: int) -> None:
    """Report the end of the child, from a return code of `subprocess`."""
    put({"event": "exit", "code": code if code >= 0 else None, "signal": signal_name(code)})
