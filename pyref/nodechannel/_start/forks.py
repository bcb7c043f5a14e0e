"""What becomes of channels when the process forks."""

from __future__ import annotations

import os

# Where `weakref` has it from: to import that takes a 50th of the time until a first message.
from _weakrefset import WeakSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Forgettable(Protocol):
        """A channel, as seen from here."""

        def forget(self) -> None:
            """Close this process's copy of the descriptors without touching anything that is shared with the other process."""


_channels: WeakSet[Forgettable] = WeakSet()


def watch(channel: Forgettable) -> None:
    """Let a process that is forked off close its copy of the channel at once.

    Two processes on one end would steal each other's bytes, and a copy that stays open keeps the peer from ever seeing the end of
    the channel ([BOO-004] for programs that do not call exec).
    """
    _channels.add(channel)


def _forget_all() -> None:
    for channel in list(_channels):
        channel.forget()


os.register_at_fork(after_in_child=_forget_all)
