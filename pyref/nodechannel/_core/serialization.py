"""The interface between a `Connection` and a serialization; `_json` is the first, and a test has another of thirty lines.

A frame is the bytes of a message on the wire, with all that delimits it. No further code of this package knows the form of a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from nodechannel._handles.types import HandleType
from nodechannel.errors import RemoteError

# The bytes of a message without their delimiters; a bytearray when they arrived in pieces.
Body: TypeAlias = bytes | bytearray


class Places(Protocol):
    """Where a framer wants the bytes of a long body, so that they are not copied to there."""

    def place(self) -> memoryview | int | None:
        """Return where the next bytes of the unfinished body belong, or how many to ask for at most; no state changes.

        None if it is short, or none is unfinished.
        """

    def filled(self, count: int) -> Sequence[Body]:
        """Return the body if so many bytes at the place complete it."""


class Framer(Protocol):
    """Cuts the bytes read into the bodies of messages.

    Attributes:
        buffered: bytes of the unfinished frame; 0 between two frames.
        error: the reason why the rest of the stream cannot be read, if there is one; no body comes after it.
        places: where long bodies are read to; None in a framer that learns the length of a body at its end.
    """

    @property
    def buffered(self) -> int: ...

    @property
    def error(self) -> RemoteError | None: ...

    @property
    def places(self) -> Places | None: ...

    def feed(self, data: bytes) -> Sequence[Body]:
        """Return the bodies that `data` completes, those before an error too."""

    def whole(self, data: bytes) -> Sequence[Body]:
        """Return the bodies in `data` where it is whole frames and no frame is unfinished, else none; no state changes.

        An answer with no bodies is always right: `feed` follows.
        """

    def checkpoint(self) -> Any:
        """Return the state for `restore`, in constant time."""

    def restore(self, checkpoint: Any) -> None:
        """Return to the state of a checkpoint, from any state of `feed`, which an exception of a signal handler may cut off."""


class Serialization(Protocol):
    """Messages to frames, and bodies to messages. Its methods have no effects, so any thread may call them.

    Attributes:
        mode: its name in NODE_CHANNEL_SERIALIZATION_MODE.
        ack: the frame of NODE_HANDLE_ACK.
        nack: the frame of NODE_HANDLE_NACK.
        ack_body: the body of NODE_HANDLE_ACK as Node writes it, which is compared before anything is decoded.
    """

    mode: str
    ack: bytes
    nack: bytes
    ack_body: bytes

    def framer(self, max_size: int | None) -> Framer:
        """Return the framer of a new stream that accepts bodies of at most `max_size` bytes."""

    def frame(self, message: object) -> bytes:
        """Return the frame of a user message; raises `InvalidMessage`, for an internal message too ([CLS-005])."""

    def frames(self, messages: list[object]) -> list[bytes]:
        """Return the frames of many user messages, joined to few pieces; raises the errors of `frame`."""

    def internal_frame(self, message: dict[str, Any]) -> bytes:
        """Return the frame of an internal message; it may repeat values of the peer, so no value is refused."""

    def envelope(
        self,
        message: object,
        type_: HandleType,
        key: str | None,
        dgram_type: str | None,
        *,
        internal: bool,
    ) -> bytes:
        """Return the frame of a message in the envelope of its handle ([HND-001], [HND-007]).

        A user message is held to the values that `frame` accepts, and raises its errors; an internal message is not.
        """

    def decode(self, body: Body) -> Any:
        """Return the value of a body; raises `MalformedMessage`."""

    def decode_all(self, bodies: Sequence[Body]) -> list[Any]:
        """Return the values of many bodies in a single call; raises `MalformedMessage` when any of them has none."""
