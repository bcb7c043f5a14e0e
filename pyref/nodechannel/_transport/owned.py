"""Ownership of file descriptors."""

from __future__ import annotations

import os
import socket
import sys
from collections import deque
from functools import partial
from itertools import chain, islice, repeat

from nodechannel._transport.system import close_descriptor, double_descriptor
from nodechannel.errors import HandleTaken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, NoReturn


# The right to wait for a process, on Windows.
_SYNCHRONIZE = 0x00100000


class OwnedFd:
    """The only owner of a descriptor: it is closed exactly once, or handed on exactly once.

    An owner that is collected while open closes its descriptor and warns with `ResourceWarning`.
    """

    # A list of one descriptor, or of none. Its methods move a descriptor into and out of calls of the system without a Python instruction
    # in between. No exception of a signal handler leaves a descriptor without an owner, and no two threads close the same descriptor.
    __slots__ = ("_fds",)

    # The call that closes it, written in C.
    _closing: ClassVar[Any] = staticmethod(close_descriptor)

    def __init__(self, fd: int) -> None:
        self._fds: list[int] = [] if fd < 0 else [fd]

    @classmethod
    def copy(cls, fd: int) -> OwnedFd:
        """Return the owner of a duplicate of a descriptor; raises `OSError` when there is no room for one."""
        owner = cls(-1)
        owner.duplicate(fd)
        return owner

    @classmethod
    def pipe(cls) -> tuple[OwnedFd, OwnedFd]:
        """Return the owners of both ends of a new pipe, which does not block; raises `OSError`."""
        read, write = cls(-1), cls(-1)
        read._fds.extend(chain.from_iterable(islice(iter(os.pipe, None), 1)))
        write.fill(list.pop, read._fds)
        os.set_blocking(read.fileno(), False)
        os.set_blocking(write.fileno(), False)
        return read, write

    def duplicate(self, fd: int) -> None:
        """Become the owner of a duplicate of a descriptor; raises `OSError` when there is no room for one."""
        self.fill(double_descriptor, fd)

    @property
    def closed(self) -> bool:
        """Whether the descriptor was closed or handed on."""
        return not self._fds

    def fileno(self) -> int:
        """Return the descriptor, still owned here; raises `HandleTaken` when there is none any more."""
        for fd in self._fds:
            return fd
        raise HandleTaken

    def detach(self) -> int:
        """Hand the descriptor to the caller, who must close it; raises `HandleTaken` when there is none any more."""
        try:
            return self._fds.pop()
        except IndexError:
            raise HandleTaken from None

    def fill(self, call: Callable[[Any], int], argument: Any) -> None:
        """Become the owner of the descriptor that a call returns, which must be written in C; raises the errors of the call."""
        self._fds.extend(map(call, (argument,)))

    # [SEC-003]
    def close(self) -> None:
        """Close the descriptor; has no effect when it was closed or handed on before."""
        deque(map(self._closing, map(list.pop, repeat(self._fds, len(self._fds)))), 0)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a descriptor has one owner, so it can be neither copied nor pickled")

    def __repr__(self) -> str:
        return f"<OwnedFd {'closed' if self.closed else self._fds[0]}>"

    def __del__(self) -> None:
        if getattr(self, "_fds", None):  # an exception may have ended `__init__`
            try:
                import warnings  # a child that only says a few words needs none

                warnings.warn(f"unclosed descriptor {self!r}", ResourceWarning, stacklevel=2, source=self)
            except ImportError:  # the interpreter is ending
                pass
            finally:
                self.close()


class OwnedFile(OwnedFd):
    """The owner of a file's descriptor, which no socket has on Windows."""

    __slots__ = ()

    _closing = staticmethod(os.close)


if sys.platform == "win32":
    import _winapi

    class OwnedHandle(OwnedFd):
        """The owner of a handle of the system that is no socket."""

        __slots__ = ()

        _closing = staticmethod(_winapi.CloseHandle)


def watch_process(pid: int) -> OwnedFd:
    """Return the owner of a descriptor that becomes readable when a process ends; raises `OSError` where the system has none."""
    if sys.platform == "win32":
        owner: OwnedFd = OwnedHandle(-1)
        owner.fill(partial(_winapi.OpenProcess, _SYNCHRONIZE, False), pid)
        return owner
    owner = OwnedFd(-1)
    try:
        owner.fill(os.pidfd_open, pid)
    except AttributeError:  # not Linux
        raise OSError("this system has no descriptors of processes") from None
    return owner


def own_all(descriptors: deque[int], owners: list[OwnedFd]) -> None:
    """Move each descriptor into an owner at the end of `owners`.

    An exception between any two steps leaves each descriptor in a single place; a second call ends the work.
    """
    while descriptors:
        if not owners or not owners[-1].closed:
            owners.append(OwnedFd(-1))
        owners[-1].fill(deque.popleft, descriptors)


def socket_of_copy(fd: int) -> socket.SocketType:
    """Return a socket at a duplicate of a descriptor, which the caller closes; raises `OSError` where the descriptor is no socket.

    The system's own type: that of eventlet does not tell the family.
    """
    copy = double_descriptor(fd)
    try:
        return socket.SocketType(fileno=copy)
    except OSError:
        close_descriptor(copy)
        raise


def make_nonblocking(fd: int) -> None:
    """Make a description non-blocking for all processes that share it."""
    if sys.platform == "win32":
        copy = socket_of_copy(fd)
        copy.setblocking(False)
        copy.close()
    else:
        os.set_blocking(fd, False)
