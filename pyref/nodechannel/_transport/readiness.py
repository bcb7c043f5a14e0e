"""A descriptor for selectors that is readable as long as `receive` has a result."""

from __future__ import annotations

import os
import select

from nodechannel._transport.owned import OwnedFd


class Readiness:
    """Joins the descriptor of a channel, which tells of bytes to be read, with a bell, which tells of messages that were read already.

    Raises `OSError` when there is no descriptor left. Linux alone can join the two.
    """

    __slots__ = ("_bell", "_both", "_rung")

    def __init__(self, fd: int) -> None:
        self._bell = OwnedFd(os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))
        self._both = select.epoll()
        self._rung = False
        self._both.register(fd, select.EPOLLIN)
        self._both.register(self._bell.fileno(), select.EPOLLIN)

    def fileno(self) -> int:
        """Return the descriptor, -1 once it is closed."""
        return -1 if self._both.closed else self._both.fileno()

    def tell(self, pending: bool) -> None:
        """Say whether messages wait that were read already."""
        if pending == self._rung or self._bell.closed:
            return
        self._rung = pending
        if pending:
            os.eventfd_write(self._bell.fileno(), 1)
        else:
            os.eventfd_read(self._bell.fileno())

    def close(self) -> None:
        """Close the descriptor."""
        self._both.close()
        self._bell.close()
