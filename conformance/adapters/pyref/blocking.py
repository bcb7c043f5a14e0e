"""The subject `nodechannel`: a thread of its own receives."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from mode import MODE

import nodechannel
from report import report, report_exit

if TYPE_CHECKING:
    import socket

    from sockets import Handles


class FrontEnd:
    """The blocking front end, driven."""

    name = "nodechannel"

    def __init__(self, handles: Handles) -> None:
        self._handles = handles
        self._flushing = threading.Lock()

    def open(self, argv: list[str] | None, env: dict[str, str] | None) -> None:
        """Adopt the channel, or start a child with a channel."""
        self._channel = (
            nodechannel.spawn(argv, env=env, serialization=MODE) if argv else nodechannel.connect()
        )
        threading.Thread(target=self._receive, daemon=True).start()
        if isinstance(self._channel, nodechannel.ChildProcess):
            threading.Thread(target=self._wait, args=(self._channel,), daemon=True).start()

    def _receive(self) -> None:
        while report(self._next(), self._handles):
            pass

    def _next(self) -> nodechannel.Message | nodechannel.ChannelError:
        try:
            return self._channel.receive()
        except nodechannel.ChannelError as error:
            return error

    def _wait(self, child: nodechannel.ChildProcess) -> None:
        report_exit(child.wait())

    def send(self, message: object, handle: socket.socket | None, keep_open: bool, key: str | None) -> None:
        """Send. A message that must wait, for room or behind a handle, counts as sent, and a second thread sends it."""
        try:
            self._channel.send(message, handle, keep_open=keep_open, key=key, timeout=0)
        except nodechannel.SendTimeout:
            if self._flushing.acquire(blocking=False):
                threading.Thread(target=self._flush, daemon=True).start()

    def _flush(self) -> None:
        with contextlib.suppress(nodechannel.ChannelError):
            self._channel.flush()
        self._flushing.release()

    def get_connections(self, key: str) -> int:
        """Ask and wait for the answer."""
        return self._channel.get_connections(key)

    def disconnect(self) -> None:
        """Begin to disconnect."""
        threading.Thread(target=self._channel.disconnect, daemon=True).start()
