"""Frames that wait for the kernel: many leave in one call, a partial write loses nothing."""

from __future__ import annotations

from collections import deque

from nodechannel._core.delivery import Delivery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._handles.fd import OwnedFd

BLOCK_SIZE = 65536
"""Bytes up to which frames are joined into one write: about what a socket takes at once. A longer frame is not copied."""


class Write:
    """Bytes of frames that leave together; or one frame, and the descriptor that rides on its first byte.

    Attributes:
        shared: the descriptor is a copy of one that the caller still has.
    """

    __slots__ = ("data", "delivery", "fd", "shared")

    def __init__(
        self, data: bytes, delivery: Delivery, fd: OwnedFd | None = None, shared: bool = False
    ) -> None:
        self.data = data
        self.delivery = delivery
        self.fd = fd
        self.shared = shared


class Outbox:
    """A queue of writes, the position inside the first one, and the frames at its end that may still be joined by others.

    Attributes:
        size: bytes that were not written yet.
    """

    __slots__ = ("_delivery", "_frames", "_frames_size", "_offset", "_writes", "size")

    def __init__(self) -> None:
        self._writes: deque[Write] = deque()
        self._offset = 0
        self._frames: list[bytes] = []
        self._frames_size = 0
        self._delivery = Delivery()  # of the frames
        self.size = 0

    def push(self, frame: bytes) -> Delivery:
        """Append one frame; return what becomes of the write that it is part of."""
        size = len(frame)
        self._frames_size += size
        if self._frames_size > BLOCK_SIZE or not self._frames:
            self._start(size)
        # [FRM-009]
        self._frames.append(frame)
        self.size += size
        return self._delivery

    def put(self, write: Write) -> None:
        """Append one write."""
        if self._frames:
            self._seal()
        self._writes.append(write)
        self.size += len(write.data)

    def take(self) -> Write:
        """Remove the first write, no byte of which has been written."""
        self._seal()
        write = self._writes.popleft()
        self.size -= len(write.data)
        return write

    def gather(self) -> tuple[bytes | memoryview, OwnedFd | None]:
        """Return what the next system call can take: bytes, and the descriptor that must ride on the first of them.

        A frame with a descriptor is a write of its own, so that the descriptor meets the first byte of its frame ([HND-005], [HND-006]);
        once a part of it is out the descriptor is gone too and must not be attached again ([HND-028]).
        """
        writes = self._writes
        if not writes:
            self._seal()
        first = writes[0]
        if self._offset:
            return memoryview(first.data)[self._offset :], None
        return first.data, first.fd

    def advance(self, count: int) -> Write | None:
        """Note that the kernel took `count` bytes of what was gathered; return the write if that was the rest of it."""
        writes = self._writes
        if not writes:
            self._seal()
        self.size -= count
        # [FRM-008]
        count += self._offset
        if count < len(writes[0].data):
            self._offset = count
            return None
        self._offset = 0
        return writes.popleft()

    def clear(self) -> list[Write]:
        """Forget everything; return the writes that were not completely written."""
        self._seal()
        unwritten = list(self._writes)
        self._writes.clear()
        self._offset = self.size = 0
        return unwritten

    def _start(self, size: int) -> None:
        """Begin another write with a frame of that size."""
        self._seal()
        self._delivery = Delivery()
        self._frames_size = size

    def _seal(self) -> None:
        """Make one write of the frames at the end."""
        if self._frames:
            self._writes.append(Write(b"".join(self._frames), self._delivery))
            self._frames = []
            self._frames_size = 0
