"""Ownership of file descriptors, and the control messages that carry them."""

from __future__ import annotations

import os
import socket
import sys

from nodechannel.errors import HandleTaken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable
    from typing import NoReturn

# The most descriptors that Linux lets one message carry. Room for all of them means that a truncated control message
# has one cause only: the descriptor table of this process is full.
SCM_MAX_FD = 253

# The flag of a message whose descriptors did not all fit.
MSG_CTRUNC = int(socket.MSG_CTRUNC)

_SOL_SOCKET, _SCM_RIGHTS = socket.SOL_SOCKET, socket.SCM_RIGHTS
# Systems that cannot mark received descriptors close-on-exec within the call.
_MARK_CLOEXEC = not hasattr(socket, "MSG_CMSG_CLOEXEC")
_FD_SIZE = 4  # of an int of C
_WHOLE = -_FD_SIZE  # a mask: the system may cut the data of a control message anywhere
ANCILLARY_SIZE = socket.CMSG_SPACE(SCM_MAX_FD * _FD_SIZE)


class OwnedFd:
    """The one owner of a descriptor: it is closed exactly once, or handed on exactly once.

    An owner that is collected while open closes its descriptor and warns with `ResourceWarning`.
    """

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def copy(cls, fd: int) -> OwnedFd:
        """Return the owner of a duplicate of a descriptor; raises `OSError` when there is no room for one."""
        owner = cls(-1)
        # The call stores its result: no exception of a signal handler leaves a descriptor without an owner.
        [owner._fd] = map(os.dup, (fd,))
        return owner

    @classmethod
    def pipe(cls) -> tuple[OwnedFd, OwnedFd]:
        """Return the owners of both ends of a new pipe, which does not block; raises `OSError`."""
        read, write = cls(-1), cls(-1)
        for read._fd, write._fd in iter(os.pipe, None):
            break
        os.set_blocking(read._fd, False)
        os.set_blocking(write._fd, False)
        return read, write

    @property
    def closed(self) -> bool:
        """Whether the descriptor was closed or handed on."""
        return self._fd < 0

    def fileno(self) -> int:
        """Return the descriptor, still owned here; raises `HandleTaken` when there is none any more."""
        if self._fd < 0:
            raise HandleTaken
        return self._fd

    def detach(self) -> int:
        """Hand the descriptor to the caller, who must close it; raises `HandleTaken` when there is none any more."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            raise HandleTaken
        return fd

    # [SEC-003]
    def close(self) -> None:
        """Close the descriptor; does nothing when it was closed or handed on before."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a descriptor has one owner, so it can be neither copied nor pickled")

    def __repr__(self) -> str:
        return f"<OwnedFd {'closed' if self.closed else self._fd}>"

    def __del__(self) -> None:
        if getattr(self, "_fd", -1) >= 0:  # an exception may have ended `__init__`
            try:
                import warnings  # a child that only says a few words needs none

                warnings.warn(f"unclosed descriptor {self!r}", ResourceWarning, stacklevel=2, source=self)
            except ImportError:  # the interpreter is ending
                pass
            finally:
                self.close()


def pack_rights(fd: OwnedFd) -> tuple[tuple[int, int, bytes]]:
    """Return the control message that passes one descriptor ([HND-004]: never more than one)."""
    return ((_SOL_SOCKET, _SCM_RIGHTS, fd.fileno().to_bytes(_FD_SIZE, sys.byteorder)),)


def descriptors_in(ancillary: Iterable[tuple[int, int, bytes]]) -> list[int]:
    """Return the descriptors of received control messages in order of arrival. Nothing owns them yet."""
    found: list[int] = []
    for level, kind, data in ancillary:
        if level == _SOL_SOCKET and kind == _SCM_RIGHTS:
            found += memoryview(data)[: len(data) & _WHOLE].cast("i")
    if _MARK_CLOEXEC:
        for fd in found:
            os.set_inheritable(fd, False)
    return found


def own_all(descriptors: deque[int], owners: deque[OwnedFd]) -> None:
    """Move each descriptor into an owner at the end of `owners`.

    An exception between any two steps leaves each descriptor in one place or in both with the same number; a second call ends the work.
    """
    while descriptors:
        fd = descriptors[0]
        if not owners or owners[-1]._fd not in (-1, fd):
            owners.append(OwnedFd(-1))
        owners[-1]._fd = fd
        descriptors.popleft()
