"""Exceptions that cross the channel: as text with name, message and stack, never as objects."""

from __future__ import annotations

import traceback
from typing import Any, NamedTuple

from nodechannel.errors import ChannelError


class Fault(NamedTuple):
    """An exception as text; `stack` is Python's traceback, or JavaScript's `stack`."""

    name: str
    message: str
    stack: str


class RemoteException(ChannelError):
    """An exception of the remote side.

    Attributes:
        name: the name of its class there.
        message: its text.
        stack: its traceback or JavaScript stack; empty if the remote side sent none.
        data: the data that came with it, or None.

    Cause:
        A function of the other side raised it.

    Remedy:
        Correct the function there; `stack` has the place.
    """

    code = "NC_REMOTE_EXCEPTION"

    def __init__(self, name: str, message: str, stack: str = "", data: object = None) -> None:
        super().__init__(f"{name}: {message}" if message else name)
        self.name = name
        self.message = message
        self.stack = stack
        self.data: Any = data

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.message, self.stack, self.data)


def describe(error: BaseException) -> Fault:
    """Return an exception as text. An exception of another process keeps its name and stack."""
    if isinstance(error, RemoteException):
        return Fault(error.name, error.message, error.stack)
    stack = "".join(traceback.format_exception(error))
    return Fault(type(error).__name__, _printable(str(error)), _printable(stack))


def _printable(text: str) -> str:
    """Return a text without lone surrogates, which file names in messages may have."""
    return text.encode("utf-8", "backslashreplace").decode()
