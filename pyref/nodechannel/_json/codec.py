"""Bytes to lines, lines to values, and back: the serialization `json` of the channel.

Importing orjson takes longer than importing all the rest. The functions of `nodechannel._json.loader` come here when one of them is first
needed. Before that, and while it happens, the exact writer serves: for the first message of a child, for a signal handler that sends in the
midst of the import, and for another thread.
"""

from __future__ import annotations

import sys
from _thread import RLock

from nodechannel._json import writing
from nodechannel._json.framing import LONGEST_LINE, LineFramer
from nodechannel._transport.system import at_fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from nodechannel._json.loader import decode, decode_lines, encode_many, fast_path

__all__ = ["LONGEST_LINE", "LineFramer", "decode", "decode_lines", "encode", "encode_many", "fast_path"]

_first = iter([True])  # true once
_lock = RLock()
# Packages of the standard library that are imported together with orjson.
_IMPORTED = ("json", "re")
# Not empty while orjson is being imported.
_loading: list[bool] = []
# The functions that serve in that time.
_meanwhile: dict[str, Callable[..., Any]] = {"encode_many": writing.encode_many}


def encode(
    message: object,
    unsafe_integers: bool = False,
    allow_nan: bool = True,
    default: Callable[[Any], Any] | None = None,
) -> bytes:
    """Return the frame of a message; raises `InvalidMessage`. See `nodechannel._json.writing.encode`."""
    if bool(_loading) or next(_first, False):
        return writing.encode(message, unsafe_integers, allow_nan, default)
    _load()
    return encode(message, unsafe_integers, allow_nan, default)  # another one by now


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _loading and name in _meanwhile:
        return _meanwhile[name]
    _load()
    return globals()[name]


def _forget_broken() -> None:
    """Forget modules whose package is gone: a handler that raised amid an import leaves them, and an import would take them as they are."""
    for name in tuple(sys.modules):
        package = name.partition(".")[0]
        if package in _IMPORTED and package not in sys.modules:
            sys.modules.pop(name, None)


def _load() -> None:
    """Let each name stand for the function that does it, `encode` included."""
    with _lock:
        _loading.append(True)
        try:
            _forget_broken()
            # First of all: it serves a signal handler that reads while the rest is imported.
            from nodechannel._json import exact

            _meanwhile.update(decode=exact.decode, decode_lines=exact.decode_lines)
            from nodechannel._json import loader

            globals().update({name: getattr(loader, name) for name in loader.__all__})
        finally:
            _loading.clear()


# A fork waits until the import is done: the new process would wait for ever for a thread that it does not have.
at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
