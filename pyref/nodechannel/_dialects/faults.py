"""Exceptions that cross the channel: as text with name, message and stack, never as objects."""

from __future__ import annotations

import reprlib
import traceback
from collections.abc import Callable
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


class Uncommon(Exception):
    """The carrier of its cause, where that cannot pass through a future or is no `Exception`; so each is answered like the others."""


def describe(error: BaseException) -> Fault:
    """Return an exception as text. An exception of another process keeps its name and stack."""
    if isinstance(error, Uncommon) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, RemoteException):
        return Fault(error.name, error.message, error.stack)
    name, message = type(error).__name__, _text(lambda: str(error))
    stack = _text(lambda: "".join(traceback.format_exception(error)))
    return Fault(name, message, stack or f"{name}: {message}")


def shown(value: Any) -> str:
    """Return a value of the remote side as text, in bounded time whatever it is."""
    return value if isinstance(value, str) else reprlib.repr(value)


def _text(write: Callable[[], str]) -> str:
    """Return what a method of the user's exception writes; an answer without text is better than none."""
    try:
        return _printable(write())
    except Exception:
        return ""


def _printable(text: str) -> str:
    """Return a text without lone surrogates, which file names in messages may have."""
    return text.encode("utf-8", "backslashreplace").decode()
