"""Frames that wait for the kernel: many leave in one call, a partial write loses nothing."""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel.delivery import Delivery
    from nodechannel.fd import OwnedFd

# Linux and macOS take at most 1024 buffers in one call.
MAX_BUFFERS = 1024


class Write:
    """One frame on its way out, with the descriptor that rides on its first byte.

    Attributes:
        shared: the descriptor is a copy of one that the caller still has.
    """

    __slots__ = ("data", "delivery", "fd", "shared")

    def __init__(
        self,
        data: bytes,
        fd: OwnedFd | None = None,
        delivery: Delivery | None = None,
        *,
        shared: bool = True,
    ) -> None:
        self.data = data
        self.fd = fd
        self.delivery = delivery
        self.shared = shared


class Outbox:
    """A queue of frames and the position inside the first one.

    Attributes:
        size: bytes that were not written yet.
    """

    __slots__ = ("_offset", "_writes", "size")

    def __init__(self) -> None:
        self._writes: deque[Write] = deque()
        self._offset = 0
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self._writes)

    def push(self, write: Write) -> None:
        """Append one frame."""
        # [FRM-009]
        self._writes.append(write)
        self.size += len(write.data)

    def gather(self) -> tuple[list[bytes | memoryview], OwnedFd | None]:
        """Return what the next system call can take: buffers, and the descriptor that must ride on their first byte.

        A frame with a descriptor is written alone, so that the descriptor meets the first byte of its own frame ([HND-005]);
        once a part of it is out the descriptor is gone too and must not be attached again.
        """
        first = self._writes[0]
        if first.fd is not None:
            if self._offset == 0:
                # [HND-006]
                return [first.data], first.fd
            # [HND-028]
            return [memoryview(first.data)[self._offset :]], None
        if len(self._writes) == 1 and self._offset == 0:
            return [first.data], None
        buffers: list[bytes | memoryview] = []
        for write in self._writes:
            if write.fd is not None or len(buffers) == MAX_BUFFERS:
                break
            buffers.append(write.data)
        if self._offset:
            buffers[0] = memoryview(first.data)[self._offset :]
        return buffers, None

    def advance(self, count: int) -> list[Write]:
        """Note that the kernel took `count` bytes; return the frames that are completely written."""
        self.size -= count
        count += self._offset
        done = []
        writes = self._writes
        while writes and count >= len(writes[0].data):
            write = writes.popleft()
            count -= len(write.data)
            done.append(write)
        # [FRM-008]
        self._offset = count
        return done

    def clear(self) -> list[Write]:
        """Forget everything; return the frames that were not completely written."""
        unwritten = list(self._writes)
        self._writes.clear()
        self._offset = self.size = 0
        return unwritten
