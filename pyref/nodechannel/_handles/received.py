"""A handle that arrived with a message."""

from __future__ import annotations

import socket
from collections.abc import Callable

from nodechannel._handles.kinds import misfit
from nodechannel._handles.types import HandleType
from nodechannel._lazy import typing
from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import HandleMismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from weakref import finalize


# The owner in a handle whose descriptor was given up.
_NONE = OwnedFd(-1)


class ReceivedHandle:
    """A handle that arrived with a message.

    It owns its descriptor until `socket` or `detach` hands it to the caller. An unclaimed handle is closed, with a `ResourceWarning`.

    Attributes:
        type: the type, in the sender's word.
        key: names the server that a `net.Socket` came from; opaque.
        dgram_type: ``udp4`` or ``udp6`` for a `dgram.Socket`.
        on_closed: called once when the socket is closed in this process, or when it is handed on as a bare descriptor.
    """

    __slots__ = ("_fd", "dgram_type", "key", "on_closed", "type")

    def __init__(
        self, type: HandleType, fd: OwnedFd, key: str | None = None, dgram_type: str | None = None
    ) -> None:
        self.type: HandleType = type
        self.key: str | None = key
        self.dgram_type: str | None = dgram_type
        self.on_closed: Callable[[], None] | None = None
        self._fd = fd

    def fileno(self) -> int:
        """Return the descriptor, still owned by this handle; raises `HandleTaken` when it was claimed or closed."""
        return self._fd.fileno()

    @property
    def _owner(self) -> OwnedFd:
        """The owner of the descriptor; raises `HandleTaken` when it was claimed or closed."""
        self._fd.fileno()
        return self._fd

    def _give_up(self) -> None:
        """Leave the descriptor to a caller who has its owner."""
        self._fd = _NONE
        self._released()

    def detach(self) -> int:
        """Hand the raw descriptor to the caller, who must close it; raises `HandleTaken`."""
        fd = self._fd.detach()
        self._released()
        return fd

    def socket(self, timeout: float | None = 0.0) -> socket.socket:
        """Hand the descriptor to the caller as a socket, with its real family and type.

        A description that is shared with other processes is non-blocking and must stay so ([HND-018]). The socket therefore
        does not block, which suits asyncio and selectors; with `timeout` in seconds it waits that long in each call.

        Raises `HandleTaken` when it was claimed before, and `HandleMismatch` when the descriptor does not fit its type; then
        it is closed.
        """
        if timeout is None:
            # [SEC-005]
            raise ValueError("a received socket cannot be put into blocking mode; give a timeout in seconds")
        fd = (
            self._fd.detach()
        )  # first: of an exception in between a lost descriptor is left, and not one that is closed twice
        try:
            sock = CountedSocket(fileno=fd)
        except OSError as error:
            OwnedFd(fd).close()
            self.close()
            raise HandleMismatch(self.type, "a descriptor that is not a socket") from error
        if self.on_closed is not None:
            sock.tell(self.on_closed)
            self.on_closed = None
        if found := misfit(self.type, self.dgram_type, sock):  # [HND-043]
            sock.close()
            raise HandleMismatch(self.type, found)
        sock.settimeout(timeout)
        return sock

    def close(self) -> None:
        """Close the descriptor unless it was claimed."""
        self._fd.close()
        self._released()

    def _released(self) -> None:
        told, self.on_closed = self.on_closed, None
        if told is not None:
            told()

    def __reduce__(self) -> typing.NoReturn:
        raise TypeError("a received handle has one owner, so it can be neither copied nor pickled")

    def __repr__(self) -> str:
        return f"<ReceivedHandle {self.type} {self._fd!r}>"

    def __del__(self) -> None:
        if getattr(self, "on_closed", None) is not None:  # an exception may have ended `__init__`
            self._released()


class CountedSocket(socket.socket):
    """A received socket: a plain one, but for telling when it is closed, detached or forgotten."""

    # Set in those that count: to find a slot empty takes longer than to find this.
    _finalizer: finalize[[], CountedSocket] | None = None

    def tell(self, closed: Callable[[], None]) -> None:
        """Call `closed` once when this socket is gone."""
        import weakref

        self._finalizer = weakref.finalize(self, closed)
        self._finalizer.atexit = False

    # The standard library calls this from `close`, once no file made of the socket is open any more.
    def _real_close(self, *args: typing.Any) -> None:
        socket.socket._real_close(self, *args)  # type: ignore[attr-defined]  # `super` takes as long as all else
        self._tell_now()

    def detach(self) -> int:
        """Hand the descriptor to the caller; from here on it is not counted."""
        fd = super().detach()
        self._tell_now()
        return fd

    def _tell_now(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
