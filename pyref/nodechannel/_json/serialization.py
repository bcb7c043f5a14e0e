"""The serialization `json`: a JSON text on each line."""

from __future__ import annotations

from nodechannel._core.messages import is_internal, refuse_internal
from nodechannel._json import codec
from nodechannel._json.framing import LONGEST_LINE, LineFramer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from nodechannel._core.serialization import Body
    from nodechannel._handles.types import HandleType

_ACK_BODY = b'{"cmd":"NODE_HANDLE_ACK"}'
# [HND-050]
_NACK_BODY = b'{"cmd":"NODE_HANDLE_NACK"}'

# The first byte of the frame of an object, and the types whose frames begin with another byte.
_BRACE = ord("{")
_NO_OBJECTS = frozenset({str, int, float, bool, list, tuple, type(None)})


class JsonSerialization:
    """See `nodechannel._core.serialization.Serialization`, and `ChannelOptions` for the options."""

    __slots__ = ("_allow_nan", "_default", "_unsafe_integers")

    mode = "json"
    ack = _ACK_BODY + b"\n"
    nack = _NACK_BODY + b"\n"
    ack_body = _ACK_BODY

    def __init__(
        self,
        *,
        unsafe_integers: bool = False,
        allow_nan: bool = True,
        default: Callable[[Any], Any] | None = None,
    ) -> None:
        self._unsafe_integers, self._allow_nan, self._default = unsafe_integers, allow_nan, default

    def framer(self, max_size: int | None) -> LineFramer:
        """Return a framer of lines."""
        return LineFramer(LONGEST_LINE if max_size is None else max_size)

    def frame(self, message: object) -> bytes:
        """Return the line of a user message."""
        # [JSN-001, JSN-004, JSN-008]
        frame = codec.encode(message, self._unsafe_integers, self._allow_nan, self._default)
        # Only an object can be internal, and a plain dict only with a `cmd`.
        suspicious = frame[0] == _BRACE and (type(message) is not dict or "cmd" in message)
        if suspicious and _is_internal(message, frame):
            raise refuse_internal("$")
        return frame

    def frames(self, messages: list[object]) -> list[bytes]:
        """Return the lines of many user messages, in pieces."""
        frames = codec.encode_many(messages, self._unsafe_integers, self._allow_nan, self._default)
        # Where no message can be an object, none is looked at.
        if not _NO_OBJECTS.issuperset(map(type, messages)):
            self._refuse_internal(messages)
        return frames

    def _refuse_internal(self, messages: list[object]) -> None:
        for index, message in enumerate(messages):
            harmless = "cmd" not in message if type(message) is dict else type(message) in _NO_OBJECTS
            if not harmless and _is_internal(
                message, codec.encode(message, self._unsafe_integers, self._allow_nan, self._default)
            ):
                raise refuse_internal(f"$[{index}]")

    def internal_frame(self, message: dict[str, Any]) -> bytes:
        """Return the line of an internal message. It may repeat values of the peer, so no number is refused."""
        return codec.encode(message, True, True, self._default)

    def envelope(
        self, message: object, type_: HandleType, key: str | None, dgram_type: str | None, *, internal: bool
    ) -> bytes:
        """Return the line of an envelope: the text of the message stands in it as it is."""
        frame = codec.encode(message, True, True, self._default) if internal else self.frame(message)
        extra = b"" if key is None else b',"key":' + codec.encode(key)[:-1]
        if dgram_type is not None:
            extra += b',"dgramType":"%s"' % dgram_type.encode()
        return b'{"cmd":"NODE_HANDLE","type":"%s","msg":%s%s}\n' % (
            type_.encode(),
            frame[:-1],
            extra,
        )

    def decode(self, body: Body) -> Any:
        """Return the value of a line; raises `InvalidJson`."""
        return codec.decode(body)

    def decode_all(self, bodies: Sequence[Body]) -> list[Any]:
        """Return the values of many lines; raises `InvalidJson`."""
        return codec.decode_lines(bodies)


def _is_internal(message: object, frame: bytes) -> bool:
    """Tell whether a message is internal to the peer: the bytes decide where Python's types do not tell."""
    if type(message) is dict and type(message.get("cmd", "")) is str:
        return is_internal(message)
    suspicious = frame[0] == _BRACE and (b"NODE_" in frame or b"\\u" in frame)
    return suspicious and is_internal(codec.decode(frame))
