"""Names of events: those that travel, and those that each end keeps for itself."""

from __future__ import annotations

from nodechannel.errors import InvalidMessage

LIFECYCLE = frozenset(
    {"start", "connect", "disconnect", "destroy", "close", "socket.disconnected", "error", "data"}
)
"""Names that a program of `node-ipc` takes for news of its own connection."""

# Members of Object.prototype, which the guarded parser of version 14 refuses.
_INHERITED = frozenset(
    {
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
        "__proto__",
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
    }
)


def check_name(type: object) -> str:
    """Return the name of an event that may be sent; raises `InvalidMessage`."""
    # [NIP-004]
    if not isinstance(type, str) or not type:
        raise InvalidMessage("the type of an event is a string that is not empty", "$.type")
    # [NIP-005, NIP-006]
    if type in LIFECYCLE or type in _INHERITED:
        raise InvalidMessage(f"{type!r} has a meaning of its own for the peer; choose another type", "$.type")
    return type
