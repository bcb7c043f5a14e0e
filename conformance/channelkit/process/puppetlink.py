"""The runner's side of the puppet child: a private unix socket over which it reports, hands over and obeys."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from channelkit.errors import LimitExceeded
from channelkit.resources import PUPPET
from channelkit.wire.rights import FLAGS, ROOM, unpacked

_LONGEST = 1 << 20
"""Most bytes of a puppet's report; its environment is the longest part."""
_MOST_STRANGERS = 20
"""Connections of strange processes that are refused before the subject is blamed."""
_CREDENTIALS = struct.Struct("3i")
"""Process, user and group at the far end of a unix socket, as Linux tells them."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A process that is no child of the kit. ``pidfd`` is None on a system that cannot tell its end."""

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
        self._strangers = 0
        self.channel: socket.socket | None = None
        """The child's end of the channel, which the session takes; None when the puppet found no channel."""
        self.facts: dict[str, Any] | None = None
        """The report of the puppet; None before it."""
        self.ended = False
        """The puppet's process is gone."""

    @property
    def argv(self) -> list[str]:
        """The command that the subject is told to start."""
        return [sys.executable, "-I", "-S", str(PUPPET), self._path, *self._words]

    @property
    def descriptors(self) -> list[int]:
        """The descriptors to poll for reading."""
        if self._connection is not None:
            return [] if self.ended else [self._connection.fileno()]
        return [self._listener.fileno()]

    def read(self) -> None:
        """Takes the bytes that wait. Raises :class:`~channelkit.errors.LimitExceeded` when the speaker is no puppet."""
        with contextlib.suppress(BlockingIOError):
            while self._connection is None:
                self._accept()
            while not self.ended:
                self._read_once(self._connection)

    def _accept(self) -> None:
        """Takes the next connection if it is the puppet's, and closes the connection of a strange process."""
        connection, _address = self._listener.accept()
        if _is_puppet(_peer(connection), self._path):
            connection.setblocking(False)
            self._connection = connection
            return
        connection.close()
        self._strangers += 1
        if self._strangers > _MOST_STRANGERS:
            raise LimitExceeded("flooded", "other processes connect to the socket of the puppet child")

    def _read_once(self, connection: socket.socket) -> None:
        try:
            data, ancillary, _flags, _address = connection.recvmsg(65536, ROOM, FLAGS)
        except ConnectionResetError:
            data, ancillary = b"", []
        for number in unpacked(ancillary):
            self._take_channel(number)
        if not data:
            self.ended = True
        self._buffer += data
        if len(self._buffer) > _LONGEST:
            raise LimitExceeded("flooded", f"the puppet child said more than {_LONGEST} bytes")
        if self.facts is None and self._buffer.endswith(b"\n"):
            self.facts = _facts(bytes(self._buffer))

    def _take_channel(self, number: int) -> None:
        """Keeps the first descriptor, which is the channel, if it is a socket; closes all further descriptors."""
        if self.channel is None and self.facts is None:
            with contextlib.suppress(OSError):
                self.channel = socket.socket(fileno=number)
                return
        os.close(number)

    @property
    def obeyed(self) -> bool:
        """Whether the puppet has taken an order, so that no process ended it earlier."""
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
        except (AttributeError, OSError, OverflowError):  # not Linux, or it has ended
            pidfd = None
        try:
            yield Watched(pidfd)
        finally:
            if pidfd is not None:
                os.close(pidfd)

    def close(self) -> None:
        """Ends the puppet by closing its socket, and removes the directory."""
        for end in (self._connection, self._listener, self.channel):
            if end is not None:
                end.close()
        shutil.rmtree(self._directory, ignore_errors=True)


def _peer(connection: socket.socket) -> int | None:
    """The process that connected; None where the system does not tell, 0 for a process of another namespace."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    credentials = connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(credentials)[0])


def _is_puppet(pid: int | None, path: str) -> bool:
    """Whether a process is a puppet for the socket ``path``, as far as the system tells. Its further arguments do not matter here."""
    if not pid:
        return True
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        program = os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115
    except OSError:  # it has ended, or there is no /proc: its report decides
        return True
    ours = [os.fsencode(str(PUPPET)), os.fsencode(path)]
    return words[:1] == [b""] or (
        program == os.path.realpath(sys.executable)
        and any(words[at : at + 2] == ours for at in range(len(words)))
    )


def _facts(line: bytes) -> dict[str, Any]:
    """The report of the puppet. Raises :class:`~channelkit.errors.LimitExceeded` for a text that is no report."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("pid"), int):
        raise LimitExceeded(
            "no-channel", f"the child that was started said {line[:200]!r}, which is no report of the puppet"
        )
    return found
