"""A worker that plays a transcript on its channel and writes down whether the primary's part was as it stands there.

Usage: player.py TRANSCRIPT RESULT. The transcript is JSON, a list of [arrow, text, handle]; seen from here, > is written and < is read.
"""

import array
import json
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any

KINDS = {"bound": socket.SOCK_STREAM, "connect": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


class Player:
    """The channel, and the values of the transcript's placeholders."""

    def __init__(self) -> None:
        self.sock = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))
        self.sock.settimeout(20)
        self.text = b""
        self.fds: list[int] = []
        self.known: dict[str, str] = {"PATH": str(Path(sys.argv[2]).absolute().with_name("s"))}
        self.clients: list[socket.socket] = []

    def write(self, text: str) -> None:
        """Write a line of this side."""
        for name, value in self.known.items():
            text = text.replace(name, value)
        self.sock.sendall(text.encode() + b"\n")

    def read(self, text: str, handle: str | None) -> None:
        """Read a line of the primary and compare it."""
        if handle == "connect":
            self.clients.append(socket.create_connection(("127.0.0.1", int(self.known["PORT"])), 20))
        line = self.line()
        pattern = re.escape(text).replace("KEY", '(?P<KEY>[^"]*)').replace("PORT", "(?P<PORT>[0-9]+)")
        match = re.fullmatch(pattern, line)
        assert match, f"expected {text}, got {line}"
        self.known.update(match.groupdict())
        assert len(self.fds) == (handle is not None), f"{len(self.fds)} descriptors with {line}"
        if handle is not None:
            self.check(handle, socket.socket(fileno=self.fds.pop()))

    def check(self, handle: str, sock: socket.socket) -> None:
        """Look whether a socket is the kind that the transcript names."""
        assert sock.type == KINDS[handle], sock
        assert not os.get_blocking(sock.fileno()), "a handle that blocks"
        assert sock.getsockname()[1] != 0, "a socket that is not bound"
        if handle == "connect":
            assert sock.getpeername() == self.clients[-1].getsockname()
        elif handle == "bound":
            assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), "it listens already"
        sock.close()

    def line(self) -> str:
        """Read up to a line feed."""
        while b"\n" not in self.text:
            data, ancillary, _, _ = self.sock.recvmsg(65536, socket.CMSG_SPACE(16))
            assert data, "the primary has closed the channel"
            self.text += data
            for _, _, rights in ancillary:
                self.fds += array.array("i", rights)
        line, _, self.text = self.text.partition(b"\n")
        return line.decode()


def play(transcript: list[Any]) -> str:
    """Play all of it; return the deviations."""
    player = Player()
    try:
        for arrow, text, handle in transcript:
            if arrow == ">":
                player.write(text)
            else:
                player.read(text, handle)
    except (AssertionError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return "as it stands there"


with open(sys.argv[2], "x") as result:  # noqa: PTH123 (a successor of this worker finds the result there and fails)
    result.write(play(json.loads(Path(sys.argv[1]).read_text())))
