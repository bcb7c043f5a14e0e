"""Frames that wait for the kernel: many leave in a single call, a partial write loses no byte.

An exception of a signal handler may end any method of this file between two instructions. All bytes that the kernel has taken are
therefore accounted by `account`, which can be repeated; all other changes belong to a transaction of the connection, which returns to
`checkpoint`.
"""

from __future__ import annotations

from nodechannel._core.delivery import WRITTEN_AT_ONCE, Delivery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from nodechannel._transport.owned import OwnedFd

    Checkpoint: TypeAlias = tuple[list["Write"], int, list["Write"], int, "Write | None", int, int]

BLOCK_SIZE = 65536
"""Bytes up to which frames are joined into one write: about what a socket takes at once. A longer frame is not copied."""


class Write:
    """Bytes of frames that leave together; or a single frame, and the descriptor that rides on its first byte.

    Attributes:
        data: the bytes, empty as long as `frames` has them.
        frames: the frames that are joined when the kernel can take them.
        offset: how many bytes the kernel has taken.
        shared: the descriptor is a copy, and the caller has its own.
    """

    __slots__ = ("data", "delivery", "fd", "frames", "offset", "shared")

    def __init__(
        self, data: bytes, delivery: Delivery, fd: OwnedFd | None = None, shared: bool = False
    ) -> None:
        self.data = data
        self.delivery = delivery
        self.fd = fd
        self.shared = shared
        self.frames: list[bytes] = []
        self.offset = 0

    def join(self) -> None:
        """Make `data` of the frames."""
        if not self.data:
            self.data = b"".join(self.frames)


class Outbox:
    """A queue of writes; more frames may join the last.

    Attributes:
        waiting: the writes of which the kernel has not taken all.
        size: bytes that were not written yet.
        direct: frames that are given to the kernel without being queued; None when no call of this kind is under way.
        taken: the result of the last system call, until it is accounted. The call stores it without a Python instruction in between.
    """

    __slots__ = ("_open", "_open_size", "_removed", "direct", "size", "taken", "waiting")

    def __init__(self) -> None:
        self.waiting: list[Write] = []
        # The writes that `take` removed since the last checkpoint: a copy of all that waits would cost each transaction more.
        self._removed: list[Write] = []
        self._open: Write | None = None
        self._open_size = 0
        self.size = 0
        self.direct: bytes | None = None
        self.taken = 0

    def push(self, frame: bytes) -> Delivery:
        """Append a frame; return the delivery of the write that will carry it. An empty list of messages has that of the last."""
        if not frame:
            return self.waiting[-1].delivery if self.waiting else WRITTEN_AT_ONCE
        size = len(frame)
        self._open_size += size
        current = self._open
        if current is None or self._open_size > BLOCK_SIZE:
            current = self._open = Write(b"", Delivery())
            self._open_size = size
            # [FRM-009] No call until the end, here and below: a signal handler cannot run there.
            self.waiting += (current,)
        current.frames += (frame,)
        self.size += size
        return current.delivery

    def put(self, write: Write) -> None:
        """Append a write."""
        self._open = None
        self.waiting.append(write)
        self.size += len(write.data)

    def take(self) -> Write:
        """Remove the first write, no byte of which has been written."""
        self._open = None
        write = self.waiting[0]
        self._removed.append(write)
        self.waiting.pop(0)
        write.join()
        self.size -= len(write.data)
        return write

    def gather(self) -> tuple[bytes | memoryview, OwnedFd | None]:
        """Return the load of the next system call: bytes, and the descriptor that must ride on the first of them.

        A frame with a descriptor is a write of its own, so that the descriptor meets the first byte of its frame ([HND-005], [HND-006]);
        once a part of it is out the descriptor is gone too and must not be attached again ([HND-028]).
        """
        first = self.waiting[0]
        if first is self._open:
            self._open = None
        first.join()
        if first.offset:
            return memoryview(first.data)[first.offset :], None
        return first.data, first.fd

    @property
    def first_delivery(self) -> Delivery:
        """The delivery of the first write."""
        return self.waiting[0].delivery

    @property
    def unaccounted(self) -> bool:
        """Whether the account of the last system call was cut off."""
        if self.taken or self.direct is not None:
            return True
        return bool(self.waiting) and 0 < len(self.waiting[0].data) <= self.waiting[0].offset

    def account(self) -> Write | None:
        """Note that the kernel took `taken` of the gathered bytes; return the write if it has all of it. Then `drop` it."""
        first = self.waiting[0]
        # [FRM-008] No call within the statement: it is done as a whole.
        first.offset, self.size, self.taken = first.offset + self.taken, self.size - self.taken, 0
        return first if first.offset >= len(first.data) else None

    def drop(self) -> None:
        """Remove the first write, of which the kernel has all bytes."""
        self.waiting.pop(0)

    def account_direct(self) -> None:
        """Queue the bytes of `direct` that the kernel did not take. If it took none, none is kept: its sender has an error."""
        frames = self.direct
        if frames is None:
            return
        if 0 < self.taken < len(frames) and not self.waiting:
            rest = Write(frames, Delivery())
            rest.offset = self.taken
            self.waiting.append(rest)
        self.size = sum(len(write.data) - write.offset for write in self.waiting)
        self.direct, self.taken = None, 0

    def clear(self) -> list[Write]:
        """Forget all writes; return the writes that were not completely written."""
        unwritten = list(self.waiting)
        self.waiting = []  # a new queue: a checkpoint keeps the old
        self._open = None
        self.size = 0
        return unwritten

    def checkpoint(self) -> Checkpoint:
        """Return the state, for `restore`."""
        frames = len(self._open.frames) if self._open is not None else 0
        self._removed = []
        return (
            self.waiting,
            len(self.waiting),
            self._removed,
            self.size,
            self._open,
            frames,
            self._open_size,
        )

    def commit(self) -> None:
        """Forget the checkpoint, and with it the writes removed since."""
        self._removed = []

    def restore(self, checkpoint: Checkpoint) -> None:
        """Return to the state of a checkpoint; an interrupted call can be repeated."""
        waiting, count, removed, self.size, self._open, frames, self._open_size = checkpoint
        self.waiting, self._removed = waiting, removed
        while removed:
            if not waiting or waiting[0] is not removed[-1]:
                waiting.insert(0, removed[-1])
            removed.pop()
        while len(waiting) > count:
            waiting.pop()
        if self._open is not None:
            self._open.data = b""
            del self._open.frames[frames:]
