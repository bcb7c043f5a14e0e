"""A user message, as a receiver gets it."""

from __future__ import annotations

from nodechannel._handles.received import ReceivedHandle
from nodechannel._lazy import typing

TYPE_CHECKING = False


class Message:  # noqa: PLW1641 (the value of most messages has no hash)
    """A message that has arrived, or that a program makes to test its own code.

    Two messages are equal if their values are equal and their handle is the same object.

    Attributes:
        data: the value, as Python's JSON types.
        handle: the handle that came with it, or None.
    """

    # `_raw` stays unset unless the channel keeps bytes: to set it would cost each message.
    __slots__ = ("_raw", "data", "handle")
    __match_args__ = ("data", "handle")

    def __init__(
        self, data: typing.Any, handle: ReceivedHandle | None = None, *, raw: bytes | None = None
    ) -> None:
        self.data: typing.Any = data
        self.handle: ReceivedHandle | None = handle
        self._raw: bytes | None = raw

    @property
    def raw(self) -> bytes | None:
        """The bytes of the message without its line feed or length: its JSON text, or V8's format in the serialization ``advanced``.

        None unless the channel has the option `raw`, and for a message with a handle, which comes in an envelope.
        """
        try:
            return self._raw
        except AttributeError:
            return None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self.handle is other.handle and bool(self.data == other.data)

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return _remake, (self.data, self.handle, self.raw)

    def __repr__(self) -> str:
        # A debugger may show a message that is still being made.
        known = [
            name for name in Message.__match_args__ if getattr(self, name, None) is not None or name == "data"
        ]
        return f"Message({', '.join(f'{name}={getattr(self, name, ...)!r}' for name in known)})"


def _remake(data: typing.Any, handle: ReceivedHandle | None, raw: bytes | None) -> Message:
    return Message(data, handle, raw=raw)


class ReceivedMessage(Message):
    """A message made by a connection. Its attributes are set from outside: to call an `__init__` takes as long as all else it does."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __init__(self) -> None: ...
    else:
        __init__ = object.__init__
