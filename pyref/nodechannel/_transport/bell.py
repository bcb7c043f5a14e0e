"""A bell that wakes a thread which waits for several descriptors, and that wait."""

from __future__ import annotations

import math
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Seconds of a wait: the system's counters have an end.
LONGEST_WAIT = 86400.0


def milliseconds(left: float) -> int:
    """Return the time of a wait as the calls of the system take it."""
    return math.ceil(max(0.0, min(left, LONGEST_WAIT)) * 1000)


if sys.platform == "win32":
    import _overlapped  # type: ignore[import-not-found]
    import _winapi

    from nodechannel._transport.owned import OwnedHandle
    from nodechannel.errors import HandleTaken

    class Bell:
        """An event of the system; its descriptor is a handle."""

        __slots__ = ("_event",)

        def __init__(self) -> None:
            self._event = OwnedHandle(_overlapped.CreateEvent(None, True, False, None))

        def fileno(self) -> int:
            """Return the handle, which is ready once the bell was rung."""
            return self._event.fileno()

        def ring(self) -> None:
            """Wake the thread that waits, or keep it from falling asleep; without effect on a closed bell."""
            try:  # noqa: SIM105 (importing contextlib takes longer than all that this file does)
                _overlapped.SetEvent(self._event.fileno())
            except (OSError, HandleTaken):
                pass

        def clear(self) -> None:
            """Forget that it was rung; without effect on a closed bell."""
            try:  # noqa: SIM105 (importing contextlib takes longer than all that this file does)
                _overlapped.ResetEvent(self._event.fileno())
            except (OSError, HandleTaken):
                pass

        def close(self) -> None:
            """Close the handle."""
            self._event.close()

    def wait_any(handles: Iterable[int], left: float | None) -> None:
        """Wait until one of the handles is ready, for `left` seconds, or until Ctrl-C, after which the caller looks again."""
        limit = _winapi.INFINITE if left is None else milliseconds(left)
        try:  # noqa: SIM105 (importing contextlib takes longer than all that this file does)
            _winapi.WaitForMultipleObjects(list(handles), False, limit)
        except InterruptedError:
            pass

else:
    import os
    from select import POLLIN

    from nodechannel._transport.native import poll as new_poll
    from nodechannel._transport.owned import OwnedFd
    from nodechannel.errors import HandleTaken

    class Bell:
        """A pipe; its descriptor is that of the end to be read."""

        __slots__ = ("_read", "_write")

        def __init__(self) -> None:
            self._read, self._write = OwnedFd.pipe()

        def fileno(self) -> int:
            """Return the descriptor, which is readable once the bell was rung."""
            return self._read.fileno()

        def ring(self) -> None:
            """Wake the thread that waits, or keep it from falling asleep; without effect on a closed bell."""
            try:  # noqa: SIM105 (importing contextlib takes longer than all that this file does)
                os.write(self._write.fileno(), b"!")
            except (BlockingIOError, HandleTaken):  # it was rung often
                pass

        def clear(self) -> None:
            """Forget that it was rung; without effect on a closed bell."""
            try:  # noqa: SIM105 (importing contextlib takes longer than all that this file does)
                os.read(self._read.fileno(), 100)
            except (BlockingIOError, HandleTaken):
                pass

        def close(self) -> None:
            """Close both ends."""
            self._read.close()
            self._write.close()

    def wait_any(descriptors: Iterable[int], left: float | None) -> None:
        """Wait until one of the descriptors is readable, or for `left` seconds."""
        poll = new_poll()
        for descriptor in descriptors:
            poll.register(descriptor, POLLIN)
        poll.poll(None if left is None else milliseconds(left))
