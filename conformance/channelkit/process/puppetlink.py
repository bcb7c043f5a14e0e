"""The runner's side of the puppet child: a private unix socket over which it reports, hands over and obeys."""

import array
import ast
import contextlib
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from channelkit.resources import PUPPET


@dataclass(frozen=True, slots=True)
class Watched:
    """A process that somebody else has to wait for; ``pidfd`` is None where the system cannot tell of its end."""

    pidfd: int | None

    @property
    def over(self) -> bool:
        """Whether it has ended, as far as can be told."""
        if self.pidfd is None:
            return True
        poller = select.poll()
        poller.register(self.pidfd, select.POLLIN)
        return bool(poller.poll(0))


class PuppetLink:
    """Waits for the puppet and then speaks to it. Owns a directory and its sockets until :meth:`close`.

    ``words`` go on the puppet's command line.
    """

    def __init__(self, *words: str) -> None:
        self._words = words
        self._directory = tempfile.mkdtemp(prefix="channelkit-")
        try:
            self._path = os.path.join(self._directory, "puppet")  # noqa: PTH118 (a str goes on the command line)
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(self._path)
            self._listener.listen(1)
            self._listener.setblocking(False)
        except OSError:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise
        self._connection: socket.socket | None = None
        self._buffer = bytearray()
        self.channel: socket.socket | None = None
        """The child's end of the channel, for whoever takes it; None when the puppet found no channel."""
        self.facts: dict[str, Any] | None = None
        """What the puppet reported, None until it did."""
        self.ended = False
        """The puppet's process is gone."""

    @property
    def argv(self) -> list[str]:
        """The command that the subject is told to start."""
        return [sys.executable, "-I", "-S", str(PUPPET), self._path, *self._words]

    @property
    def descriptors(self) -> list[int]:
        """What to poll for reading."""
        if self._connection is not None:
            return [] if self.ended else [self._connection.fileno()]
        return [self._listener.fileno()]

    def read(self) -> None:
        """Takes what there is."""
        with contextlib.suppress(BlockingIOError):
            if self._connection is None:
                self._connection, _address = self._listener.accept()
                self._connection.setblocking(False)
            while not self.ended:
                self._read_once(self._connection)

    def _read_once(self, connection: socket.socket) -> None:
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        try:
            data, ancillary, _flags, _address = connection.recvmsg(65536, socket.CMSG_SPACE(4), flags)
        except ConnectionResetError:
            data, ancillary = b"", []
        for _level, _kind, rights in ancillary:
            numbers = array.array("i", rights)
            os.set_inheritable(numbers[0], False)
            self.channel = socket.socket(fileno=numbers[0])
        if not data:
            self.ended = True
        self._buffer += data
        if self.facts is None and self._buffer.endswith(b"\n"):
            self.facts = ast.literal_eval(self._buffer.decode())

    @property
    def obeyed(self) -> bool:
        """Whether it has taken an order: nobody else ended it before."""
        return self._buffer.endswith(b"\nobeys\n")

    def order(self, order: dict[str, Any]) -> None:
        """Tells the puppet how to end: ``{"exit": STATUS}`` or ``{"signal": NAME}``."""
        line = (
            f"signal {signal.Signals[order['signal']].value}"
            if "signal" in order
            else f"exit {order.get('exit', 0)}"
        )
        if self._connection is not None and not self.ended:
            with contextlib.suppress(OSError):
                self._connection.sendall(f"{line}\n".encode())

    @contextlib.contextmanager
    def process(self) -> Iterator[Watched]:
        """The puppet's process, to be looked at while it ends."""
        try:
            pidfd = os.pidfd_open(self.facts["pid"]) if self.facts else None
        except (AttributeError, OSError):  # not Linux, or it has ended
            pidfd = None
        try:
            yield Watched(pidfd)
        finally:
            if pidfd is not None:
                os.close(pidfd)

    def close(self) -> None:
        """Ends the puppet, whose socket is its leash, and removes the directory."""
        for end in (self._connection, self._listener, self.channel):
            if end is not None:
                end.close()
        shutil.rmtree(self._directory, ignore_errors=True)
