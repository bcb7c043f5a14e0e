"""User messages and internal messages: telling them apart, and the shapes of the internal ones."""

from __future__ import annotations

from collections import namedtuple
from enum import StrEnum

from nodechannel import codec
from nodechannel.errors import BadEnvelope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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


# [HND-044, HND-045]
class HandleType(StrEnum):
    """The `type` of a handle, in Node's words."""

    NET_SERVER = "net.Server"
    NET_SOCKET = "net.Socket"
    NET_NATIVE = "net.Native"
    DGRAM_SOCKET = "dgram.Socket"
    DGRAM_NATIVE = "dgram.Native"
    NET_BOUND_SOCKET = "net.BoundSocket"  # Node 26 and later


NET_SERVER, NET_SOCKET, NET_NATIVE, DGRAM_SOCKET, DGRAM_NATIVE, NET_BOUND_SOCKET = HandleType
_HANDLE = Cmd.HANDLE

_HANDLE_TYPES = {member.value: member for member in HandleType}

ACK_LINE = b'{"cmd":"NODE_HANDLE_ACK"}'
ACK_FRAME = ACK_LINE + b"\n"
# [HND-050]
NACK_FRAME = b'{"cmd":"NODE_HANDLE_NACK"}\n'


def is_internal(value: object) -> bool:
    """Tell whether a value is an internal message.

    [CLS-001] An object whose `cmd` is a string that begins with `NODE_` and is longer than that.
    """
    if not isinstance(value, dict):
        return False
    cmd = value.get("cmd")
    # [CLS-002]
    return isinstance(cmd, str) and len(cmd) > len(PREFIX) and cmd.startswith(PREFIX)


# What the frame of an object begins with; and types whose frames begin with something else.
BRACE = ord("{")
PLAIN_TYPES = frozenset({str, int, float, bool, list, tuple, type(None)})


def frame_is_internal(message: object, frame: bytes) -> bool:
    """Tell what the peer will make of the frame of a message: its bytes count where Python's types leave room for tricks."""
    if type(message) is dict and type(message.get("cmd", "")) is str:
        return is_internal(message)
    suspicious = frame[0] == BRACE and (b"NODE_" in frame or b"\\u" in frame)
    return suspicious and is_internal(codec.decode(frame))


class Envelope(namedtuple("Envelope", ("type", "msg", "key", "dgram_type"), defaults=(None, None))):  # noqa: PYI024 (typing takes long to import)
    """A `NODE_HANDLE` message: a user or internal message that travels with a descriptor.

    Attributes:
        type: what the descriptor is.
        msg: the message inside; None when the sender left it out.
        key: names the server that a `net.Socket` came from, opaque to the receiver.
        dgram_type: ``udp4`` or ``udp6`` for a `dgram.Socket`.
    """

    __slots__ = ()

    type: HandleType
    msg: Any
    key: str | None
    dgram_type: str | None

    @staticmethod
    def from_wire(value: dict[str, Any]) -> Envelope:
        """Read an envelope whatever the order of its keys, ignoring unknown ones; raises `BadEnvelope`."""
        # [HND-039, HND-040]
        message = value.get("msg")
        type_ = value.get("type")
        # [SEC-007]
        known = _HANDLE_TYPES.get(type_) if isinstance(type_, str) else None
        if known is None:
            # [HND-041]
            raise BadEnvelope(f"its type {type_!r} is unknown", message)
        key, dgram_type = value.get("key"), value.get("dgramType")
        return Envelope(
            known,
            message,
            key if isinstance(key, str) else None,
            dgram_type if isinstance(dgram_type, str) else None,
        )


def unwrap(value: dict[str, Any]) -> dict[str, Any]:
    """Return the innermost envelope.

    Node retransmits a refused handle as an envelope inside an envelope; both mean one handle and get one acknowledgement ([HND-013]).
    """
    inner = value.get("msg")
    # [HND-014]
    while isinstance(inner, dict) and inner.get("cmd") == _HANDLE:
        value, inner = inner, inner.get("msg")
    return value


def envelope_frame(type_: HandleType, frame: bytes, key_frame: bytes | None, dgram_type: str | None) -> bytes:
    """Wrap the frame of a message, and that of its key, into the frame of its handle's envelope ([HND-001], [HND-007])."""
    extra = b"" if key_frame is None else b',"key":' + key_frame[:-1]
    if dgram_type is not None:
        extra += b',"dgramType":"%s"' % dgram_type.encode()
    return b'{"cmd":"NODE_HANDLE","type":"%s","msg":%s%s}\n' % (type_.encode(), frame[:-1], extra)
