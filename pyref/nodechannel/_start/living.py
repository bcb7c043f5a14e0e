"""The channels of this process that have not ended: as in Node, each lives until it is closed or disconnected, or the process ends."""

from __future__ import annotations

import atexit
from functools import partial

from nodechannel._transport.system import at_fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Living(Protocol):
        """A channel, as seen from here."""

        def forget(self) -> None:
            """Close this process's copy of the descriptors without touching the state that both processes share."""

        def _write_rest(self) -> None:
            """Write what was accepted and not written yet, because the program ends."""


# By their numbers: the function that ends an entry must not refer to the channel, or the two would wait for the cyclic collector.
_channels: dict[int, Living] = {}
_drop = _channels.pop


def keep(channel: Living) -> Callable[[], object]:
    """Keep a channel alive until the returned function is called, which is to be done when the channel has ended.

    The program need not refer to it: a garbage collector that closes a channel would tell the peer `disconnect`.
    """
    number = id(channel)
    _channels[number] = channel
    return partial(_drop, number, None)


def _forget_all() -> None:
    """Let a process that was forked off close its copies at once.

    Two processes on one end would steal each other's bytes, and a copy that stays open keeps the peer from ever seeing the end of
    the channel ([BOO-004] for programs that do not call exec).
    """
    channels = list(_channels.values())
    _channels.clear()
    for channel in channels:
        channel.forget()


def _write_all() -> None:
    for channel in list(_channels.values()):
        channel._write_rest()


at_fork(after_in_child=_forget_all)
atexit.register(_write_all)
