"""The serialization `advanced`: V8's format behind a length of four bytes."""

from __future__ import annotations

from nodechannel import js
from nodechannel._advanced.decode import decode
from nodechannel._advanced.encode import encode, encode_many
from nodechannel._advanced.framing import LENGTH, MAX_FRAME, FrameFramer
from nodechannel._core.messages import is_internal, refuse_internal
from nodechannel._json.framing import blocks
from nodechannel.errors import InvalidMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from nodechannel._advanced.write import Default
    from nodechannel._core.serialization import Body
    from nodechannel._handles.types import HandleType

_ACK = encode({"cmd": "NODE_HANDLE_ACK"})
# As Node 18 to 26 write it, which differs in its version alone.
_ACK_BODY = b"\xff\x0f" + _ACK[LENGTH + 2 :]

# Types that are no object with a `cmd` to the peer.
_HARMLESS = frozenset({str, int, float, bool, list, tuple, bytes, type(None), js.Map, js.Set, js.BigInt})


class AdvancedSerialization:
    """See `nodechannel._core.serialization.Serialization`, and `ChannelOptions` for `default`."""

    __slots__ = ("_default",)

    mode = "advanced"
    ack = _ACK
    # [HND-050]
    nack = encode({"cmd": "NODE_HANDLE_NACK"})
    ack_body = _ACK_BODY

    def __init__(self, *, default: Default | None = None) -> None:
        self._default = default

    def framer(self, max_size: int | None) -> FrameFramer:
        """Return a framer of frames with a length."""
        return FrameFramer(MAX_FRAME if max_size is None else max_size)

    def frame(self, message: object) -> bytes:
        """Return the frame of a user message."""
        frame = encode(message, self._default)
        if "cmd" in message if type(message) is dict else type(message) not in _HARMLESS:
            _refuse_internal(frame, "$")
        return frame

    def frames(self, messages: list[object]) -> list[bytes]:
        """Return the frames of many user messages, in pieces."""
        frames = encode_many(messages, self._default)
        if not _HARMLESS.issuperset(map(type, messages)):
            for index, message in enumerate(messages):
                if "cmd" in message if type(message) is dict else type(message) not in _HARMLESS:
                    _refuse_internal(frames[index], f"$[{index}]")
        return blocks(frames)

    def internal_frame(self, message: dict[str, Any]) -> bytes:
        """Return the frame of an internal message."""
        return encode(message, self._default)

    def envelope(
        self, message: object, type_: HandleType, key: str | None, dgram_type: str | None, *, internal: bool
    ) -> bytes:
        """Return the frame of an envelope: the message is written inside of it, because references count all objects of a frame."""
        envelope = {"cmd": "NODE_HANDLE", "type": type_.value, "msg": message}
        if key is not None:
            envelope["key"] = key
        if dgram_type is not None:
            envelope["dgramType"] = dgram_type
        try:
            frame = encode(envelope, self._default)
        except InvalidMessage as error:
            raise InvalidMessage(error.reason, f"${error.path.removeprefix('$.msg')}") from None
        if not internal and _looks_internal(decode(frame[LENGTH:])["msg"]):
            raise refuse_internal("$")
        return frame

    def decode(self, body: Body) -> Any:
        """Return the value of a frame; raises `InvalidFrame`."""
        value = decode(body)
        if type(value) is dict and "cmd" in value and is_internal(value):
            return _without_undefined(value)
        return value

    def decode_all(self, bodies: Sequence[Body]) -> list[Any]:
        """Return the values of many frames; raises `InvalidFrame`."""
        return list(map(self.decode, bodies))


def _refuse_internal(frame: bytes, path: str) -> None:
    """Raise `InvalidMessage` when the frame of a message is internal to the peer, for any type of Python."""
    if (b"NODE_" in frame or _WIDE_PREFIX in frame) and _looks_internal(decode(frame[LENGTH:])):
        raise refuse_internal(path)


# [ADV-080] Node's own code writes `fd: undefined` where JSON has no `fd`.
def _without_undefined(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if value is not js.undefined}


_WIDE_PREFIX = "NODE_".encode("utf-16-le")


def _looks_internal(value: object) -> bool:
    """Tell whether Node takes a value for internal ([CLS-001]): an array with a `cmd` is an object as well."""
    return is_internal(value.properties if isinstance(value, js.Array | js.SparseArray) else value)
