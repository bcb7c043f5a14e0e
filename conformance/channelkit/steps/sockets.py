"""The kit's own sockets of a case: made sockets, received sockets, and the counterparts that prove that they work."""

import contextlib
import errno
import fcntl
import os
import socket
import tempfile
from collections.abc import Callable
from typing import Any

from channelkit.errors import HarnessError

KINDS = (
    "tcp-server",
    "tcp6-server",
    "tcp-bound",
    "tcp-unbound",
    "tcp-client",
    "tcp6-client",
    "udp4",
    "udp6",
    "unix-server",
    "unix-client",
    "unix-datagram",
    "file",
    "pipe",
)
"""The kinds of sockets and files that the ``make`` step can make."""

_LOCALHOST = ("127.0.0.1", 0)
_LOCALHOST6 = ("::1", 0)


class Sockets:
    """Named sockets and files; owns all of them until :meth:`close`."""

    def __init__(self) -> None:
        self._mine: dict[str, socket.socket | int] = {}
        self._counterparts: dict[str, socket.socket] = {}
        self._servers: dict[str, tuple[socket.AddressFamily, Any]] = {}
        self._clients: dict[str, socket.socket] = {}
        self._visitors: dict[str, socket.socket] = {}
        """The latest connection that was accepted at a server."""
        self._received: set[str] = set()
        self._cleanup = contextlib.ExitStack()

    def make(self, kind: str, name: str, *, blocking: bool = False) -> None:
        """Makes a socket of a kind in :data:`KINDS`. The socket is non-blocking, as a receiver needs it, unless ``blocking`` is set.

        Raises :class:`OSError` on a machine without sockets of this kind.
        """
        makers: dict[str, Callable[[str], None]] = {
            "tcp-server": self._tcp_server,
            "tcp6-server": lambda name: self._tcp_server(name, socket.AF_INET6, _LOCALHOST6),
            "tcp-bound": self._tcp_bound,
            "tcp-unbound": self._tcp_unbound,
            "tcp-client": self._tcp_client,
            "tcp6-client": lambda name: self._tcp_client(name, _LOCALHOST6),
            "udp4": self._udp,
            "udp6": lambda name: self._udp(name, _LOCALHOST6),
            "unix-server": self._unix_server,
            "unix-client": self._unix_client,
            "unix-datagram": lambda name: self._unix_client(name, socket.SOCK_DGRAM),
            "file": self._file,
            "pipe": self._pipe,
        }
        makers[kind](name)
        if blocking:
            os.set_blocking(self.descriptor(name), True)

    @property
    def path(self) -> str:
        """A new path for a unix socket."""
        directory = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="channelkit-"))
        return os.path.join(directory, "s")  # noqa: PTH118 (socket addresses are strings)

    def _own(self, end: socket.socket) -> socket.socket:
        self._cleanup.callback(end.close)
        end.setblocking(False)
        return end

    def _server(self, family: socket.AddressFamily, address: Any) -> socket.socket:
        server = self._own(socket.socket(family, socket.SOCK_STREAM))
        server.bind(address)
        server.listen(8)
        return server

    def _tcp_server(
        self, name: str, family: socket.AddressFamily = socket.AF_INET, address: tuple[str, int] = _LOCALHOST
    ) -> None:
        self._mine[name] = server = self._server(family, address)
        self._servers[name] = (family, server.getsockname())

    def _unix_server(self, name: str) -> None:
        address = self.path
        self._mine[name] = self._server(socket.AF_UNIX, address)
        self._servers[name] = (socket.AF_UNIX, address)

    def _tcp_bound(self, name: str) -> None:
        self._mine[name] = end = self._own(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        end.bind(_LOCALHOST)

    def _tcp_unbound(self, name: str) -> None:
        self._mine[name] = self._own(socket.socket(socket.AF_INET, socket.SOCK_STREAM))

    def _tcp_client(self, name: str, address: tuple[str, int] = _LOCALHOST) -> None:
        with socket.create_server(address, family=_family(address)) as server:
            self._mine[name] = self._own(socket.create_connection(server.getsockname()[:2]))
            self._counterparts[name] = self._own(server.accept()[0])

    def _unix_client(self, name: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
        mine, other = socket.socketpair(socket.AF_UNIX, kind)
        self._mine[name], self._counterparts[name] = self._own(mine), self._own(other)

    def _udp(self, name: str, address: tuple[str, int] = _LOCALHOST) -> None:
        self._mine[name] = self._bound_udp(address)
        self._counterparts[name] = self._bound_udp(address)

    def _bound_udp(self, address: tuple[str, int] = _LOCALHOST) -> socket.socket:
        end = self._own(socket.socket(_family(address), socket.SOCK_DGRAM))
        end.bind(address)
        return end

    def _pipe(self, name: str) -> None:
        mine, other = os.pipe()
        self._mine[name] = mine
        self._cleanup.callback(self.close_own, name)
        self._cleanup.callback(os.close, other)

    def _file(self, name: str) -> None:
        self._mine[name] = _regular_file()
        self._cleanup.callback(self.close_own, name)

    def descriptor(self, name: str) -> int:
        """The descriptor of a socket of the case. Raises :class:`HarnessError` when there is none."""
        mine = self._mine.get(name)
        if mine is None:
            raise HarnessError(f"the case has no open socket {name}")
        return mine if isinstance(mine, int) else mine.fileno()

    def close_own(self, name: str) -> None:
        """Closes the kit's own copy; its counterpart stays."""
        mine = self._mine.pop(name, None)
        if isinstance(mine, int):
            os.close(mine)
        elif mine is not None:
            mine.close()

    def keep(self, name: str, descriptor: int) -> None:
        """Takes over a received descriptor."""
        self.close_own(name)
        end = self._own(socket.socket(fileno=descriptor))
        self._mine[name] = end
        self._received.add(name)
        kind = kind_of(descriptor)
        if kind == "listening":
            self._servers[name] = (end.family, end.getsockname())
        elif kind == "stream":
            self._pair(name, end)

    def connect(self, name: str, address: str) -> None:
        """Connects to a server of the subject. Raises :class:`OSError` when the address leads nowhere."""
        family, place = parsed(address)
        end = self._own(socket.socket(family, socket.SOCK_STREAM))
        self._clients[name] = self._counterparts[name] = end
        with contextlib.suppress(BlockingIOError):
            end.connect(place)

    def probe(self, port: int) -> bool:
        """Whether a port of this machine takes a connection; the connection is closed at once."""
        try:
            socket.create_connection((_LOCALHOST[0], port), 5).close()
        except (OSError, OverflowError):
            return False
        return True

    def connect_port(self, name: str, port: int) -> bool:
        """Connects to a port of this machine; tells whether a process listens there."""
        try:
            end = self._own(socket.create_connection((_LOCALHOST[0], port), 5))
        except (OSError, OverflowError):
            return False
        self._clients[name] = self._counterparts[name] = end
        return True

    def listen(self, name: str) -> bool:
        """Listens on a socket; tells whether it was bound."""
        mine = self._mine.get(name)
        if not isinstance(mine, socket.socket):
            raise HarnessError(f"the case has no open socket {name}")
        if mine.getsockname()[1] == 0:
            return False
        mine.listen(8)
        self._servers[name] = (mine.family, mine.getsockname())
        return True

    def port(self, name: str) -> int | None:
        """The port of a TCP or UDP socket of the kit; None for sockets without a port."""
        mine = self._mine.get(name)
        if not isinstance(mine, socket.socket) or mine.family == socket.AF_UNIX:
            return None
        return int(mine.getsockname()[1])

    def _pair(self, name: str, end: socket.socket) -> None:
        """Finds the counterpart of a received connection: a socket of the kit, or a connection that waits at a server of the kit."""
        for other in self._clients.values():
            with contextlib.suppress(OSError):
                if other.getsockname() == end.getpeername():
                    self._counterparts[name] = other
                    return
        for server_name, (_family, address) in self._servers.items():
            server = self._mine.get(server_name)
            if server_name in self._received or not isinstance(server, socket.socket):
                continue
            with contextlib.suppress(OSError):
                if address != end.getpeername():
                    continue
                while name not in self._counterparts:
                    other = self._accepted(server_name)
                    if end.family == socket.AF_UNIX or other.getpeername() == end.getsockname():
                        self._counterparts[name] = other

    def counterpart(self, name: str) -> socket.socket:
        """The far end of a socket. Raises :class:`HarnessError` when the kit does not have it."""
        if name not in self._counterparts:
            raise HarnessError(f"the case has no socket {name} with a counterpart")
        return self._counterparts[name]

    def _accepted(self, name: str) -> socket.socket:
        server = self._mine.get(name)
        if not isinstance(server, socket.socket):
            raise HarnessError(f"the case has no open socket {name}")
        self._visitors[name] = visitor = self._own(server.accept()[0])
        return visitor

    def read_own(self, name: str, text: bytes, wait: Callable[[Callable[[], bool], int], bool]) -> bytes:
        """Reads from the kit's own copy of a socket, at most as many bytes as ``text`` has."""
        mine = self._mine.get(name)
        if not isinstance(mine, socket.socket):
            raise HarnessError(f"the case has no open socket {name}")
        return _read(mine, len(text), wait)

    def sees_end(self, name: str, wait: Callable[[Callable[[], bool], int], bool]) -> bool:
        """Closes the kit's own copy of a socket and waits until its counterpart sees the end. Then no further copy is left.

        The name of a server stands for the connection that waits there.
        """
        if name in self._servers:
            other = self._visitors.get(name) or self._accepted(name)
        else:
            self.close_own(name)
            other = self.counterpart(name)

        def ended() -> bool:
            try:
                return not other.recv(65536)
            except BlockingIOError:
                return False
            except OSError:  # a reset
                return True

        return wait(ended, other.fileno())

    def address(self, name: str) -> str | None:
        """The address that ``to`` stands for: of a server, or of the counterpart of a UDP socket; None for an unknown name."""
        if name in self._servers:
            address = self._servers[name][1]
            return address if isinstance(address, str) else written(address)
        mine = self._counterparts.get(name)
        if mine is None or mine.family == socket.AF_UNIX:
            return None
        return written(mine.getsockname())

    def read_at_peer(self, name: str, text: bytes, wait: Callable[[Callable[[], bool], int], bool]) -> bytes:
        """Reads at the counterpart of a socket the bytes that the subject wrote, at most as many as ``text`` has.

        ``wait`` waits for a condition, which may come true when a descriptor becomes readable.
        """
        reader = self._reader(name, text)
        received = _read(reader, len(text), wait)
        if name in self._servers:
            reader.close()  # only this step uses the connection; the process that accepted it may wait for its end
        return received

    def _reader(self, name: str, text: bytes) -> socket.socket:
        if name in self._servers:
            family, address = self._servers[name]
            reader = self._own(socket.socket(family, socket.SOCK_STREAM))
            with contextlib.suppress(BlockingIOError, ConnectionRefusedError, FileNotFoundError):
                reader.connect(address)
            return reader
        if name in self._received and name in self._mine:
            return self._through(name, text)
        return self._clients.get(name) or self.counterpart(name)

    def _through(self, name: str, text: bytes) -> socket.socket:
        """Proves a received socket by sending ``text`` through it; returns the socket at which the text must arrive."""
        mine = self._mine.get(name)
        if not isinstance(mine, socket.socket):
            raise HarnessError(f"the case has dropped {name}")
        if mine.type == socket.SOCK_DGRAM:
            # The text leaves by the received socket. Sent to it, the text could be read by the sender's own copy.
            reader = self._bound_udp()
            with contextlib.suppress(OSError):  # then no text arrives, and the step fails
                mine.sendto(text, reader.getsockname())
            return reader
        with contextlib.suppress(OSError):
            mine.send(text)
        return self.counterpart(name)

    def close(self) -> None:
        """Closes all sockets and files."""
        self._cleanup.close()
        self._mine.clear()


def written(address: tuple[Any, ...]) -> str:
    """An address as adapters get it: ``127.0.0.1:80``, ``[::1]:80``."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parsed(address: str) -> tuple[socket.AddressFamily, Any]:
    """Family and address in the text of an adapter. Raises :class:`OSError` when it is neither host and port nor a path."""
    host, separator, _port = address.rpartition(":")
    if not separator:
        if not address or "\0" in address:
            raise FileNotFoundError(errno.ENOENT, "an empty path")
        return socket.AF_UNIX, address
    host = host.removeprefix("[").removesuffix("]")
    return _family((host, 0)), (host, port_of(address))


def port_of(address: str) -> int:
    """The port of an address. Raises :class:`ConnectionError` when it has none."""
    digits = address.rpartition(":")[2]
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 6):
        raise ConnectionAbortedError(errno.EADDRNOTAVAIL, f"{address[:80]!r} has no port")
    return int(digits)


def _family(address: tuple[str, int]) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def _read(reader: socket.socket, size: int, wait: Callable[[Callable[[], bool], int], bool]) -> bytes:
    """Reads at most ``size`` bytes; ``wait`` waits for them."""
    received = bytearray()

    def done() -> bool:
        try:
            data = reader.recv(max(size - len(received), 1))
        except BlockingIOError:
            return False
        except OSError:  # a reset: no further byte comes
            return True
        received.extend(data)
        return len(received) >= size or not data

    wait(done, reader.fileno())
    return bytes(received)


def _regular_file() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def kind_of(descriptor: int) -> str:
    """The kind of a descriptor: ``listening``, ``stream``, ``datagram`` or ``other``."""
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
    """The outcome for a received descriptor; empty when the descriptor fits its envelope."""
    kind = kind_of(descriptor)
    fitting = _FITTING.get(envelope) if isinstance(envelope, str) else None
    if kind == "other" or (fitting is not None and kind not in fitting):
        return "bad-descriptor"
    if not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK:
        return "blocking-descriptor"
    return ""
