"""No message that `send` accepts ends a real Node parent, and each message arrives as a user message."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import nodechannel
from nodechannel._handles.types import HandleType
from nodechannel.errors import ChannelClosed, InvalidHandle, InvalidMessage
from property.jsonvalues import MIXED_MESSAGES
from support.node import node

if TYPE_CHECKING:
    from collections.abc import Iterator

# Counts the messages that arrive and tells the number when asked; a handle is closed.
PARENT = """
const [python, stub, meeting] = process.argv.slice(2);
const child = require('child_process').spawn(python, [stub, meeting], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
let count = 0, handles = 0;
child.on('message', (message, handle) => {
  if (message && message.question === 'how many?') { child.send([count, handles]); count = handles = 0; return; }
  count += 1;
  if (handle) { handles += 1; handle.close ? handle.close() : handle.destroy(); }
});
"""

# A child of that parent which hands its end of the channel to the test.
STUB = """
import os, socket, sys
meeting = socket.socket(socket.AF_UNIX)
meeting.connect(sys.argv[1])
socket.send_fds(meeting, [b"x"], [int(os.environ["NODE_CHANNEL_FD"])])
os.close(int(os.environ["NODE_CHANNEL_FD"]))
meeting.recv(1)
"""


class Parent:
    """A Node parent whose child is this process, started again when it has died."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "parent.cjs").write_text(PARENT)
        (folder / "stub.py").write_text(STUB)
        self.start()

    def start(self) -> None:
        path = self.folder / "meeting"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            listener.settimeout(30)
            command = [
                node(),
                str(self.folder / "parent.cjs"),
                sys.executable,
                str(self.folder / "stub.py"),
                str(path),
            ]
            self.process = subprocess.Popen(command, process_group=0, stderr=subprocess.PIPE)
            self.meeting, _ = listener.accept()
        self.meeting.settimeout(30)
        _, (fd,), _, _ = socket.recv_fds(self.meeting, 1, 1)
        self.channel = nodechannel.Channel(socket.socket(fileno=fd))

    def arrived(self) -> tuple[int, int]:
        """Return how many messages and handles arrived since the last question."""
        self.channel.send({"question": "how many?"})
        count, handles = self.channel.receive(timeout=30).data
        return count, handles

    def close(self) -> str:
        """End it; return the text of its standard error."""
        self.channel.close()
        self.meeting.close()
        try:
            return self.process.communicate(timeout=30)[1].decode()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parent]:
    parent = Parent(tmp_path_factory.mktemp("node"))
    yield parent
    assert parent.close() == ""


CMDS = st.one_of(
    st.sampled_from(
        [
            "NODE_",
            "NODE_HANDLE",
            "NODE_HANDLE_ACK",
            "NODE_HANDLE_NACK",
            "NODE_CLUSTER",
            "node_x",
            "",
            " NODE_X",
        ]
    ),
    st.builds(
        "{}{}".format, st.sampled_from(["NODE_", "NODE", "\\u004eODE_", "NODE_SOCKET_"]), st.text(max_size=3)
    ),
    st.sampled_from([0, None, True, 1.5, ["NODE_X"], {"cmd": "NODE_X"}, b"NODE_X"]),
)
KEYS = st.sampled_from(
    ["type", "msg", "key", "seq", "toJSON", "__proto__", "constructor", "length", "ack", ""]
)
ENVELOPES = st.builds(
    lambda cmd, rest: {"cmd": cmd, **rest}, CMDS, st.dictionaries(KEYS, MIXED_MESSAGES | CMDS, max_size=3)
)
TEXTS = st.sampled_from(
    ["\n", "\r\n", "\0", "\ufeff", "\u2028", "\ud800", "\udfff\ud800", '"', "\\", "\x7f", "é" * 40_000]
)
HOSTILE = MIXED_MESSAGES | ENVELOPES | TEXTS | st.dictionaries(TEXTS, TEXTS, max_size=2)


@contextmanager
def something(kind: str) -> Iterator[Any]:
    """Make an object that a user may try to hand over."""
    with ExitStack() as stack:
        if kind == "unix stream":
            made, other = socket.socketpair()
            stack.enter_context(other)
        elif kind == "connection":
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            made = socket.create_connection(server.getsockname())
            stack.enter_context(server.accept()[0])
        elif kind == "server":
            made = socket.create_server(("127.0.0.1", 0))
        elif kind == "a file":
            yield stack.enter_context(Path(os.devnull).open("rb"))
            return
        elif kind == "a number":
            yield 0
            return
        else:
            made = socket.socket(*SOCKETS[kind])
        stack.enter_context(made)
        if kind in ("bound", "udp"):
            made.bind(("127.0.0.1", 0))
        elif kind == "closed":
            made.close()
        yield made


SOCKETS = {
    "fresh": (socket.AF_INET, socket.SOCK_STREAM),
    "bound": (socket.AF_INET, socket.SOCK_STREAM),
    "closed": (socket.AF_INET, socket.SOCK_STREAM),
    "udp": (socket.AF_INET, socket.SOCK_DGRAM),
    "udp6": (socket.AF_INET6, socket.SOCK_DGRAM),
    "unix datagram": (socket.AF_UNIX, socket.SOCK_DGRAM),
    "seqpacket": (socket.AF_UNIX, socket.SOCK_SEQPACKET),
}
KINDS = [*SOCKETS, "unix stream", "connection", "server", "a file", "a number"]

# A receiver before Node 26 dies of this type; it must be asked for by name ([HND-027]).
TYPES = st.sampled_from([None, *sorted(set(HandleType) - {HandleType.NET_BOUND_SOCKET}), "net.Sockets"])
KEYS_OF_SOCKETS = st.none() | st.sampled_from(["", "4:127.0.0.1:0", "\ud800", "k\n"])
PLAIN = st.tuples(st.sampled_from(KINDS), st.none(), st.none())
HANDLES = st.none() | PLAIN | st.tuples(st.sampled_from(KINDS), TYPES, KEYS_OF_SOCKETS)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(HOSTILE, HANDLES), min_size=1, max_size=12))
@pytest.mark.rule("CLS-005", "FRM-002", "HND-002")
def test_whatever_is_accepted_arrives_and_nobody_dies(
    parent: Parent, sendings: list[tuple[object, Any]]
) -> None:
    accepted = handles = 0
    try:
        for message, choice in sendings:
            try:
                if choice is None:
                    parent.channel.send(message, timeout=30)
                else:
                    hand_over(parent.channel, message, *choice)
                    handles += 1
                accepted += 1
            except (InvalidMessage, InvalidHandle) as error:
                event(f"refused: {error.code}")
        assert parent.arrived() == (accepted, handles)
    except ChannelClosed:
        why = parent.close()
        parent.start()
        pytest.fail(f"Node died: {why}")


def hand_over(
    channel: nodechannel.Channel, message: object, kind: str, type_: str | None, key: str | None
) -> None:
    with something(kind) as handle:
        channel.send(message, handle, handle_type=type_, key=key, timeout=30)
    event(f"handed over: {kind}")
