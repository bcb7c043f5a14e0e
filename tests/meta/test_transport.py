"""One room knows the platform: what the channel's descriptors are to the system stands in `_transport` alone."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from support.node import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYREF = ROOT / "pyref" / "nodechannel"
ROOM = "_transport"

# Names of `os`, `socket`, `select` and `sys` that mean different things on different systems, or nothing on some of them.
NAMES = {
    "recvmsg", "recvmsg_into", "sendmsg", "recv_fds", "send_fds", "socketpair", "fromfd", "share", "fromshare",
    "dup", "dup2", "pipe", "pipe2", "set_blocking", "get_blocking", "set_inheritable", "get_inheritable",
    "eventfd", "eventfd_read", "eventfd_write", "pidfd_open", "poll", "epoll", "kqueue", "platform",
    "SO_RCVTIMEO", "SO_SNDTIMEO",
}  # fmt: skip
PREFIXES = ("SCM_", "CMSG_", "MSG_", "EFD_", "EPOLL", "POLL")
OWNERS = {"os", "socket", "_socket", "select", "sys", "sock", "self._sock"}
MODULES = {"fcntl", "msvcrt", "_winapi", "ctypes", "termios"}

# What has nothing to do with the descriptors of a channel, and why.
ELSEWHERE = {
    "_stdio/descriptors.py": "standard streams are pipes and files, and no channel",
    "_start/lifeline.py": "processes are watched, not the channel",
    "_start/watcher.py": "a program of its own, started without this package",
}


def of_the_platform(path: Path) -> Iterator[str]:
    """Yield the names in a file that depend on the platform."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if node.attr.startswith(PREFIXES) or (node.attr in NAMES and owner in OWNERS):
                yield f"{owner}.{node.attr}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            if node.module in MODULES:
                yield node.module
            elif node.module in OWNERS:
                yield from (alias.name for alias in node.names if alias.name in NAMES)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("hasattr", "getattr"):
            yield from (str(a.value) for a in node.args if isinstance(a, ast.Constant) and a.value in NAMES)


def found() -> dict[str, list[str]]:
    """Return for each file outside of the room what it names of the platform."""
    files = {path.relative_to(PYREF).as_posix(): path for path in sorted(PYREF.rglob("*.py"))}
    names = {
        name: sorted(set(of_the_platform(path)))
        for name, path in files.items()
        if not name.startswith(ROOM + "/")
    }
    return {name: of for name, of in names.items() if of}


def test_the_platform_stands_in_one_room():
    assert {name: of for name, of in found().items() if name not in ELSEWHERE} == {}


def test_each_exception_is_needed():
    assert set(ELSEWHERE) <= set(found())


@pytest.mark.parametrize(
    "line",
    [
        "sock.recvmsg(1)",
        "copy = os.dup(3)",
        "import fcntl",
        "from fcntl import F_DUPFD",
        "x = socket.SCM_RIGHTS",
        "if sys.platform == 'win32': pass",
        "from sys import platform",
        "hasattr(os, 'eventfd')",
        "flags = socket.MSG_DONTWAIT",
    ],
)
def test_a_file_that_knows_the_platform_is_seen(tmp_path, line):
    (tmp_path / "file.py").write_text(f"import os, socket, sys\n{line}\n")
    assert list(of_the_platform(tmp_path / "file.py"))
