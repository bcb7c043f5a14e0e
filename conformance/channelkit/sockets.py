"""The kit's own sockets of one case: what it makes, what it receives, and the counterparts that prove they work."""

import contextlib
import fcntl
import os
import socket
import tempfile
from collections.abc import Callable
from typing import Any

from channelkit.errors import HarnessError

KINDS = ("tcp-server", "tcp-client", "udp4", "unix-server", "unix-client", "file")
"""What the ``make`` step can make."""

_LOCALHOST = ("127.0.0.1", 0)


class Sockets:
    """Named sockets and files; owns all of them until :meth:`close`."""

    def __init__(self) -> None:
        self._mine: dict[str, socket.socket | int] = {}
        self._counterparts: dict[str, socket.socket] = {}
        self._servers: dict[str, tuple[socket.AddressFamily, Any]] = {}
        self._received: set[str] = set()
        self._cleanup = contextlib.ExitStack()

    def make(self, kind: str, name: str) -> None:
        """Makes a socket of one of :data:`KINDS`, non-blocking as a receiver needs it."""
        makers: dict[str, Callable[[str], None]] = {
            "tcp-server": self._tcp_server,
            "tcp-client": self._tcp_client,
            "udp4": self._udp4,
            "unix-server": self._unix_server,
            "unix-client": self._unix_client,
            "file": self._file,
        }
        makers[kind](name)

    def _own(self, end: socket.socket) -> socket.socket:
        self._cleanup.callback(end.close)
        end.setblocking(False)
        return end

    def _server(self, family: socket.AddressFamily, address: Any) -> socket.socket:
        server = self._own(socket.socket(family, socket.SOCK_STREAM))
        server.bind(address)
        server.listen(8)
        return server

    def _tcp_server(self, name: str) -> None:
        self._mine[name] = server = self._server(socket.AF_INET, _LOCALHOST)
        self._servers[name] = (socket.AF_INET, server.getsockname())

    def _unix_server(self, name: str) -> None:
        directory = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="channelkit-"))
        address = os.path.join(directory, "s")  # noqa: PTH118 (socket addresses are strings)
        self._mine[name] = self._server(socket.AF_UNIX, address)
        self._servers[name] = (socket.AF_UNIX, address)

    def _tcp_client(self, name: str) -> None:
        with socket.create_server(_LOCALHOST) as server:
            self._mine[name] = self._own(socket.create_connection(server.getsockname()))
            self._counterparts[name] = self._own(server.accept()[0])

    def _unix_client(self, name: str) -> None:
        mine, other = socket.socketpair()
        self._mine[name], self._counterparts[name] = self._own(mine), self._own(other)

    def _udp4(self, name: str) -> None:
        self._mine[name] = self._bound_udp()
        self._counterparts[name] = self._bound_udp()

    def _bound_udp(self) -> socket.socket:
        end = self._own(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        end.bind(_LOCALHOST)
        return end

    def _file(self, name: str) -> None:
        self._mine[name] = _regular_file()
        self._cleanup.callback(self.drop, name)

    def descriptor(self, name: str) -> int:
        """The descriptor of a socket of the case. Raises :class:`HarnessError` when there is none."""
        mine = self._mine.get(name)
        if mine is None:
            raise HarnessError(f"the case has no open socket {name}")
        return mine if isinstance(mine, int) else mine.fileno()

    def drop(self, name: str) -> None:
        """Closes the kit's own copy; its counterpart stays."""
        mine = self._mine.pop(name, None)
        if isinstance(mine, int):
            os.close(mine)
        elif mine is not None:
            mine.close()

    def keep(self, name: str, descriptor: int) -> None:
        """Takes over a received descriptor."""
        self.drop(name)
        end = self._own(socket.socket(fileno=descriptor))
        self._mine[name] = end
        self._received.add(name)
        if kind_of(descriptor) == "listening":
            self._servers[name] = (end.family, end.getsockname())

    def address(self, name: str) -> str | None:
        """What ``to`` stands for: a server's address, a UDP socket's counterpart; None for an unknown name."""
        if name in self._servers:
            address = self._servers[name][1]
            return address if isinstance(address, str) else f"{address[0]}:{address[1]}"
        mine = self._counterparts.get(name)
        if mine is None or mine.family != socket.AF_INET:
            return None
        host, port = mine.getsockname()
        return f"{host}:{port}"

    def reach(self, name: str, text: bytes, wait: Callable[[Callable[[], bool], int], bool]) -> bytes:
        """Reads what the subject wrote to the counterpart of a socket, at most as many bytes as ``text`` has.

        ``wait`` waits for a condition that the readability of a descriptor may bring about.
        """
        reader = self._reader(name, text)
        received = bytearray()

        def done() -> bool:
            try:
                data = reader.recv(max(len(text) - len(received), 1))
            except BlockingIOError:
                return False
            except OSError:  # a reset: nothing more will come
                return True
            received.extend(data)
            return len(received) >= len(text) or not data

        wait(done, reader.fileno())
        return bytes(received)

    def gone(self, name: str, wait: Callable[[Callable[[], bool], int], bool]) -> bool:
        """Whether the connection that waits at a server of the kit comes to its end."""
        server = self._mine.get(name)
        if not isinstance(server, socket.socket):
            raise HarnessError(f"the case has no server {name}")
        connection = self._own(server.accept()[0])

        def ended() -> bool:
            try:
                return not connection.recv(65536)
            except BlockingIOError:
                return False
            except OSError:
                return True

        return wait(ended, connection.fileno())

    def _reader(self, name: str, text: bytes) -> socket.socket:
        if name in self._servers:
            family, address = self._servers[name]
            reader = self._own(socket.socket(family, socket.SOCK_STREAM))
            with contextlib.suppress(BlockingIOError, ConnectionRefusedError, FileNotFoundError):
                reader.connect(address)
            return reader
        if name in self._counterparts:
            return self._counterparts[name]
        if name in self._received:
            return self._through(name, text)
        raise HarnessError(f"the case has no socket {name} with a counterpart")

    def _through(self, name: str, text: bytes) -> socket.socket:
        """Proves a received socket by sending ``text`` through it; returns where it must come out."""
        mine = self._mine.get(name)
        if not isinstance(mine, socket.socket):
            raise HarnessError(f"the case has dropped {name}")
        if mine.type == socket.SOCK_DGRAM:
            # Out of it and not into it: the sender of the socket may still read from its own copy.
            reader = self._bound_udp()
            mine.sendto(text, reader.getsockname())
            return reader
        mine.send(text)
        for server_name, (_family, address) in self._servers.items():
            server = self._mine.get(server_name)
            if isinstance(server, socket.socket) and address == mine.getpeername():
                return self._own(server.accept()[0])
        raise HarnessError(f"{name} is not connected to a server of the kit")

    def close(self) -> None:
        """Closes everything."""
        self._cleanup.close()
        self._mine.clear()


def _regular_file() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def kind_of(descriptor: int) -> str:
    """``listening``, ``stream``, ``datagram`` or ``other``."""
    number = os.dup(descriptor)
    try:
        duplicate = socket.socket(fileno=number)
    except OSError:
        os.close(number)
        return "other"
    with duplicate:
        if duplicate.type == socket.SOCK_DGRAM:
            return "datagram"
        if duplicate.type != socket.SOCK_STREAM:
            return "other"
        return "listening" if duplicate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) else "stream"


_FITTING = {
    "net.Server": ("listening",),
    "net.Socket": ("stream",),
    "net.Native": ("listening", "stream"),
    "dgram.Socket": ("datagram",),
    "dgram.Native": ("datagram",),
}


def fault_of(descriptor: int, envelope: object) -> str:
    """The outcome that a received descriptor earns, empty when it is what its envelope says."""
    kind = kind_of(descriptor)
    fitting = _FITTING.get(envelope) if isinstance(envelope, str) else None
    if kind == "other" or (fitting is not None and kind not in fitting):
        return "bad-descriptor"
    if not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK:
        return "blocking-descriptor"
    return ""
