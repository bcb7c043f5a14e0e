"""The places of servers: the rules of names of `node-ipc`, and sockets that only their user can reach."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nodechannel._transport.system import require_unix
from nodechannel.errors import InvalidAddress

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from nodechannel._nodeipc.options import AddressOptions

HOST, PORT = "127.0.0.1", 8000
_HIGHEST_PORT = 65535

# The bytes of a path that the address of a Unix socket holds on Linux, without the zero at its end.
_LONGEST_PATH = 107
# The first version whose sockets stand in a folder of their user.
_PRIVATE_SINCE = 14


class Address(NamedTuple):
    """A place in the form that sockets need: a path, or a host and a port."""

    path: str | None
    host: str
    port: int
    ssl: ssl.SSLContext | None

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"

    async def dial(
        self, loop: asyncio.AbstractEventLoop, factory: Callable[[], asyncio.BaseProtocol]
    ) -> None:
        """Connect; raises `OSError`."""
        if self.path is not None:
            await loop.create_unix_connection(factory, self.path)
        else:
            await loop.create_connection(factory, self.host, self.port, ssl=self.ssl)


def address_of(id: str | None, options: AddressOptions) -> Address:
    """Return the place that the options choose; raises `InvalidAddress`, and `NotOnThisSystem` for a path on Windows."""
    host, port, tls = options.get("host"), options.get("port"), options.get("ssl")
    if host is not None or port is not None or tls is not None:
        return Address(None, host or HOST, PORT if port is None else check_port(port), tls)
    require_unix("a server at a path", "give host= and port=; in Node they are for serveNet and connectToNet")
    path = options.get("path")
    if path is None:
        path = socket_path(id, options)
    if not path or "\0" in path:
        raise InvalidAddress(f"{path!r} is no path of a file; give another path=")
    # [NIP-033]
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise InvalidAddress(f"{path!r} is longer than {_LONGEST_PATH} bytes; give a shorter path=")
    return Address(path, HOST, PORT, None)


def check_port(port: int) -> int:
    """Return a port; raises `InvalidAddress`."""
    if type(port) is not int or not 0 <= port <= _HIGHEST_PORT:
        raise InvalidAddress(f"{port!r} is no port: it is a whole number up to {_HIGHEST_PORT}")
    return port


def socket_path(id: str | None, options: AddressOptions, environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of a server by its id; raises `InvalidAddress`."""
    if id is not None and "/" in id:
        raise InvalidAddress(f"the id {id!r} leads to another folder; give the whole path=")
    # [NIP-030, NIP-031]
    root = options.get("socket_root")
    if root is None:
        root = _private_root(environ) if options.get("version", _PRIVATE_SINCE) >= _PRIVATE_SINCE else "/tmp/"
    return f"{root}{options.get('appspace', 'app.')}{socket.gethostname() if id is None else id}"


def _private_root(environ: Mapping[str, str]) -> str:
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        return f"{Path(runtime) / 'node-ipc'}/"
    return f"{Path(tempfile.gettempdir()) / f'node-ipc-{os.getuid()}'}/"


def listening_socket(path: str, mode: int, replace: bool) -> socket.socket:
    """Return a socket that is bound to a path with these permissions; raises `InvalidAddress` and `OSError`."""
    folder = Path(path).parent
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
    _check_folder(folder)
    _clear(path, replace)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(path)
        # [NIP-034] No peer can connect before `listen`.
        Path(path).chmod(mode)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _check_folder(folder: Path) -> None:
    """Refuse a folder of `node-ipc` that another user prepared."""
    # [NIP-035]
    if not folder.name.startswith("node-ipc"):
        return
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise InvalidAddress(f"the folder {str(folder)!r} belongs to another user; give another path=")
    folder.chmod(0o700)


def _clear(path: str, replace: bool) -> None:
    """Remove a socket that is in the way."""
    try:
        found = Path(path).lstat()
    except FileNotFoundError:
        return
    # [NIP-032]
    if not stat.S_ISSOCK(found.st_mode):
        raise InvalidAddress(f"{path!r} is a file and no socket; remove it, or give another path=")
    if not replace and _is_served(path):
        raise InvalidAddress(f"another server listens at {path!r}; end it, or give replace=True")
    with suppress(FileNotFoundError):
        Path(path).unlink()


def _is_served(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


def same_file(path: str, known: os.stat_result) -> bool:
    """Tell whether the socket at a path is still the known socket."""
    try:
        found = Path(path).lstat()
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (known.st_dev, known.st_ino)
