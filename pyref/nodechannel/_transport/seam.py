"""The seam of the transport: all that the front ends ask of their end of a channel.

`unix.py` is the end at a Unix socket, `threaded.py` the end at a named pipe of Windows. `open_transport` chooses between them.
A descriptor is owned by an `OwnedFd`; the bytes of a write that carries it begin with the frame of its handle.

The calls `receive`, `receive_now`, `send` and `send_with` are made by `map` and `starmap`, which store a result without a Python
instruction after the call. A signal handler that raises therefore loses no byte, provided that the calls themselves are written in C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from nodechannel._transport.owned import OwnedFd
    from nodechannel._transport.readiness import Readiness

Received: TypeAlias = tuple[Any, Sequence[tuple[int, int, bytes]], int, Any]
"""The result of a receiving call: bytes (none at the end of the stream), control messages, flags, and an address that is never there.

The number of bytes stands for those that `receive_to` put into their place.

Once the descriptors are taken out of the control messages, they stand in place of the address. `rights.py` has the meaning of the rest.
"""


class Transport(Protocol):
    """An end of a channel.

    Attributes:
        receive: in a tuple or another iterable, the call that reads once and may sleep, at most as long as `limit_receiving` says; it
            returns `Received`.
        receive_now: likewise, the call that reads the waiting bytes once. Both raise `BlockingIOError` when there are none and
            `ConnectionError` when the peer closed without reading all.
        send: the call that writes bytes without waiting, and returns how many were taken. It raises `BlockingIOError` when there is no
            room, `ConnectionError` when the peer is gone, and another `OSError` when the system lacks resources for the moment.
        at_once: in a tuple, the second argument of `send`.
        send_with: as `send`, for the arguments that `packed` returns.
        receive_size: how many bytes a read returns at most.
        fileno: return the descriptor that polls and selectors watch, -1 once the transport is closed.
        close: close this end; without effect when it is closed.
    """

    send: Callable[..., int]
    send_with: Callable[..., int]
    at_once: tuple[Any]
    receive_size: int
    fileno: Callable[[], int]
    close: Callable[[], None]

    @property
    def receive(self) -> Iterable[Callable[[], Received]]:
        """See above."""

    @property
    def receive_now(self) -> Iterable[Callable[[], Received]]:
        """See above."""

    @property
    def receive_to(self) -> Callable[[memoryview | int, bool], Iterable[Received]] | None:
        """Given a place or a number of bytes, and whether the call may sleep, return an iterator whose only step is that read.

        None where there is no such call.
        """

    def packed(self, data: bytes | memoryview, fd: OwnedFd) -> tuple[Any, ...]:
        """Return the arguments of `send_with` for bytes and the only descriptor that rides on the first of them."""

    def end(self) -> None:
        """End both directions, which wakes a thread that waits; the descriptor stays open."""

    def sleeps(self) -> bool:
        """Tell whether `receive` may sleep; another process can make a shared description non-blocking."""

    def limit_receiving(self, seconds: float | None) -> None:
        """Set how long `receive` may sleep; a call that a signal handler interrupts begins again with the new limit."""

    def wait(self, *, reading: bool, writing: bool, left: float | None, also: Sequence[int] = ()) -> None:
        """Wait until this end is readable or writable, until one of the descriptors `also` is readable, or for `left` seconds."""

    def readiness(self) -> Readiness | None:
        """Return a descriptor that also tells of messages that were read already, None where the system has none.

        Raises `OSError` when there is no descriptor left.
        """

    def add_reader(self, loop: AbstractEventLoop, callback: Callable[[], object]) -> None:
        """Have an event loop call back when bytes can be read."""

    def remove_reader(self, loop: AbstractEventLoop) -> None:
        """Have an event loop call back no more; without effect when it does not."""

    def add_writer(self, loop: AbstractEventLoop, callback: Callable[[], object]) -> None:
        """Have an event loop call back when there is room to write."""

    def remove_writer(self, loop: AbstractEventLoop) -> None:
        """Have an event loop call back no more; without effect when it does not."""
