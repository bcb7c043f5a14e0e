"""Adoption of the channel with the options that concern the whole process."""

from __future__ import annotations

from nodechannel._start.env import adopt

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket


def adopt_with(*, lifeline: bool, end_on_signal: bool) -> tuple[socket.socket, str]:
    """Take the channel out of the environment, with the name of its serialization; start the watcher of a lifeline.

    Raises the errors of `adopt`, `LifelineUnsupported`, and `NotMainThread` if signals are to end the channel and cannot; then the
    channel is still in the environment.
    """
    if end_on_signal:
        from nodechannel._start.signals import require_main_thread

        require_main_thread()
    if lifeline:
        from nodechannel._start.lifeline import check

        check()
    sock, serialization = adopt()
    if lifeline:
        from nodechannel._start.lifeline import follow_peer

        try:
            follow_peer(sock)
        except BaseException:
            sock.close()
            raise
    return sock, serialization
