"""User messages and internal messages: telling them apart, and the shapes of the internal ones."""

from __future__ import annotations

from enum import StrEnum

from nodechannel._json import codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard

    from nodechannel._handles.types import HandleType

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


ACK_LINE = b'{"cmd":"NODE_HANDLE_ACK"}'
ACK_FRAME = ACK_LINE + b"\n"
# [HND-050]
NACK_FRAME = b'{"cmd":"NODE_HANDLE_NACK"}\n'


def is_internal(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value is an internal message.

    [CLS-001] An object whose `cmd` is a string that begins with `NODE_` and is longer than that.
    """
    cmd = value.get("cmd") if type(value) is dict else None
    # [CLS-002]
    return type(cmd) is str and cmd.startswith(PREFIX) and cmd != PREFIX


# What the frame of an object begins with; and types whose frames begin with something else.
BRACE = ord("{")
PLAIN_TYPES = frozenset({str, int, float, bool, list, tuple, type(None)})


def frame_is_internal(message: object, frame: bytes) -> bool:
    """Tell what the peer will make of the frame of a message: its bytes count where Python's types leave room for tricks."""
    if type(message) is dict and type(message.get("cmd", "")) is str:
        return is_internal(message)
    suspicious = frame[0] == BRACE and (b"NODE_" in frame or b"\\u" in frame)
    return suspicious and is_internal(codec.decode(frame))


def envelope_frame(type_: HandleType, frame: bytes, key_frame: bytes | None, dgram_type: str | None) -> bytes:
    """Wrap the frame of a message, and that of its key, into the frame of its handle's envelope ([HND-001], [HND-007])."""
    extra = b"" if key_frame is None else b',"key":' + key_frame[:-1]
    if dgram_type is not None:
        extra += b',"dgramType":"%s"' % dgram_type.encode()
    return b'{"cmd":"NODE_HANDLE","type":"%s","msg":%s%s}\n' % (type_.encode(), frame[:-1], extra)
