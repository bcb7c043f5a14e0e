"""User messages and internal messages: how a value shows which of them it is."""

from __future__ import annotations

from enum import StrEnum

from nodechannel.errors import InvalidMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard

PREFIX = "NODE_"


# [CLS-007]
class Cmd(StrEnum):
    """The `cmd` of every internal message that this package understands."""

    HANDLE = "NODE_HANDLE"
    HANDLE_ACK = "NODE_HANDLE_ACK"
    HANDLE_NACK = "NODE_HANDLE_NACK"
    SOCKET_GET_COUNT = "NODE_SOCKET_GET_COUNT"
    SOCKET_COUNT = "NODE_SOCKET_COUNT"
    SOCKET_NOTIFY_CLOSE = "NODE_SOCKET_NOTIFY_CLOSE"
    SOCKET_ALL_CLOSED = "NODE_SOCKET_ALL_CLOSED"
    CLUSTER = "NODE_CLUSTER"


def is_internal(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value is an internal message.

    [CLS-001] An object whose `cmd` is a string that begins with `NODE_` and is longer than that.
    """
    cmd = value.get("cmd") if type(value) is dict else None
    # [CLS-002]
    return type(cmd) is str and cmd.startswith(PREFIX) and cmd != PREFIX


# [CLS-005]
def refuse_internal(path: str) -> InvalidMessage:
    """Return the error of a user message that every peer takes for an internal message."""
    return InvalidMessage(
        "an object whose cmd begins with NODE_ is an internal message to every peer", f"{path}.cmd"
    )
