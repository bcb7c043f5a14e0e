"""Two real implementations as parent and child of a channel, each driven by its adapter. The runner only sees the adapters."""

import os
import select
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

from channelkit import CONTRACT
from channelkit.errors import HarnessError, Interrupted
from channelkit.limits import SLICE, Limits
from channelkit.pairs.wire import Wire
from channelkit.process.control import Control
from channelkit.process.session import Plan
from channelkit.process.subject import Subject, describe_status
from channelkit.resources import RELAY
from channelkit.wire.transcript import Transcript
from channelkit.wire.values import show


class TrialFailed(Exception):
    """A trial of two implementations failed: ``outcome`` is a word for the failure, the text says why."""

    def __init__(self, outcome: str, text: str = "") -> None:
        super().__init__(text)
        self.outcome = outcome


class _Streams:
    """The child's adapter: a single socket is its stdin and its stdout."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.stdout: int | None = connection.detach()
        self.stdin: int | None = os.dup(self.stdout)

    def close(self) -> None:
        """Closes both."""
        for name in ("stdin", "stdout"):
            descriptor = getattr(self, name)
            if descriptor is not None:
                os.close(descriptor)
                setattr(self, name, None)


class End:
    """An end of the pair: its role and its adapter."""

    def __init__(self, role: str, control: Control, pair: "Pair") -> None:
        self.role = role
        self.control = control
        self._pair = pair
        self.hello: dict[str, Any] = {}

    def greet(self) -> None:
        """Asks ``hello``. Raises :class:`HarnessError`."""
        self.hello = self._reply({"command": "hello", "contract": CONTRACT})
        if not self.hello.get("ok") or not isinstance(self.hello.get("capabilities"), list):
            raise HarnessError(f"the adapter of the {self.role} gives no valid `hello`: {show(self.hello)}")

    def _reply(self, command: dict[str, Any]) -> dict[str, Any]:
        reply = self._pair.answer(self.control, self.control.ask(command), self._pair.limits.start)
        if reply is None:
            raise HarnessError(f"the adapter of the {self.role} did not answer {command['command']}")
        return reply

    def settle(self, number: int) -> None:
        """Waits for the reply to a command that was only asked. Raises :class:`TrialFailed`."""
        reply = self._pair.answer(self.control, number, self._pair.limits.start)
        if reply is None:
            self._pair.nothing_came(f"the {self.role} did not answer a command")
        elif not reply["ok"]:
            raise TrialFailed("refused", f"the {self.role} refused: {show(reply.get('error'))}")

    def command(self, **command: Any) -> dict[str, Any]:
        """The reply to a command. Raises :class:`TrialFailed`: ``refused``, ``silent`` or ``died``."""
        reply = self._pair.answer(self.control, self.control.ask(command), self._pair.limits.start)
        if reply is None:
            self._pair.nothing_came(f"the {self.role} did not answer {command['command']}")
        elif not reply["ok"]:
            raise TrialFailed(
                "refused", f"the {self.role} refused {command['command']}: {show(reply.get('error'))}"
            )
        return reply or {}

    def event(self, wanted: str) -> dict[str, Any]:
        """The next event, which has to be ``wanted``. Raises :class:`TrialFailed`: ``unexpected``, ``silent`` or ``died``."""
        events = self.control.events
        if not self._pair.wait(lambda: bool(events) or self.gone, self._pair.patience) or not events:
            self._pair.nothing_came(f"the {self.role} reported no {wanted}")
        event = events.popleft()
        if event["event"] != wanted:
            raise TrialFailed("unexpected", f"instead of {wanted} the {self.role} reported {show(event)}")
        return event

    @property
    def gone(self) -> bool:
        """The adapter of the end has closed stdout."""
        return self.control.ended


class Pair:
    """Starts both and owns them until :meth:`close`. Raises :class:`HarnessError` and, for the channel, :class:`TrialFailed`.

    With ``wire`` the runner is in the middle of the channel, and the transcript has the bytes.
    """

    def __init__(
        self, parent: Plan, child: Plan, limits: Limits, stop: threading.Event, *, wire: bool = False
    ) -> None:
        self.limits = limits
        self.transcript = Transcript()
        self._stop = stop
        self._streams: _Streams | None = None
        self._wire: Wire | None = None
        self._directory = tempfile.mkdtemp(prefix="channelkit-")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = os.path.join(self._directory, "relay")  # noqa: PTH118 (a str goes on the command line)
        try:
            self._listener.bind(path)
            self._listener.listen(1)
            self._subject = Subject(parent.command, None, driven=True, mode=parent.mode)
        except BaseException:
            self._remove()
            raise
        try:
            words = (path, "wire" if wire else "direct", *child.command)
            self._open([sys.executable, "-I", "-S", str(RELAY), *words], wire=wire)
        except BaseException:
            self.close()
            raise

    def _open(self, argv: list[str], *, wire: bool) -> None:
        self.parent = End("parent", Control(self._subject, self.transcript, "parent "), self)
        self.parent.greet()
        self.parent.command(command="open", argv=argv)
        if not self.wait(self._child_is_there, self.limits.start, self._listener.fileno()):
            raise TrialFailed("no-child", "the child never started")
        connection = self._listener.accept()[0]
        self._streams = _Streams(connection.dup())
        with connection:
            if wire:
                self._wire = self._into_the_middle(connection)
        self.child = End("child", Control(self._streams, self.transcript, "child "), self)
        self.child.greet()
        self.child.command(command="open")

    def _into_the_middle(self, connection: socket.socket) -> Wire:
        """Takes the child's end of the channel and gives the child a new socket in its place."""
        connection.settimeout(self.limits.start)
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        _data, found, _flags, _address = socket.recv_fds(connection, 1, 1, flags)
        if not found:
            raise TrialFailed("no-child", "the child ended before it had its channel")
        os.set_inheritable(found[0], False)
        channel = socket.socket(fileno=found[0])
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(connection, [b"c"], [theirs.fileno()])
        return Wire(channel, ours, self.transcript)

    def _child_is_there(self) -> bool:
        return bool(select.select([self._listener], [], [], 0)[0])

    @property
    def patience(self) -> float:
        """Seconds for an event: two processes and two adapters are on the way."""
        return 2 * self.limits.answer

    def wait(self, ready: Callable[[], bool], seconds: float, also: int | None = None) -> bool:
        """Reads the output of the adapters until ``ready`` or until ``seconds`` have passed; returns ``ready()``."""
        until = time.monotonic() + seconds
        for end, _streams in self._ends():
            end.control.expect_more()
        self._drain()
        while not ready():
            left = until - time.monotonic()
            if left <= 0:
                return False
            if self._stop.is_set():
                raise Interrupted
            self._poll(min(left, SLICE), also)
            self._drain()
        return True

    def _poll(self, seconds: float, also: int | None) -> None:
        poller = select.poll()
        for descriptor in (self._subject.stdout, self._subject.stderr, also):
            if descriptor is not None:
                poller.register(descriptor, select.POLLIN)
        for end, streams in self._ends():
            if streams.stdout is not None:
                poller.register(streams.stdout, select.POLLIN)
            if end.control.pending_output and streams.stdin is not None:
                poller.register(streams.stdin, select.POLLOUT)
        if self._wire is not None:
            self._wire.register(poller)
        poller.poll(int(seconds * 1000) + 1)

    def _ends(self) -> list[tuple[End, Any]]:
        ends: list[tuple[End, Any]] = [(self.parent, self._subject)] if hasattr(self, "parent") else []
        return [*ends, (self.child, self._streams)] if hasattr(self, "child") else ends

    def _drain(self) -> None:
        self._subject.read_stderr()
        if self._wire is not None:
            self._wire.carry()
        for end, _streams in self._ends():
            end.control.flush()
            end.control.read()

    def answer(self, control: Control, number: int, seconds: float) -> dict[str, Any] | None:
        """The reply to a command; None when the adapter is gone or time ran out first."""
        self.wait(lambda: number in control.replies or control.ended, seconds)
        return control.replies.pop(number, None)

    def nothing_came(self, text: str) -> None:
        """Raises :class:`TrialFailed`: ``died`` when an adapter is gone, else ``silent``."""
        gone = [end.role for end, _streams in self._ends() if end.gone]
        if "parent" in gone and self._subject.poll():
            text += f"; the parent ended with {describe_status(self._subject.status or 0)}"
        raise TrialFailed(
            "died" if gone else "silent", text + (f" (gone: {', '.join(gone)})" if gone else "")
        )

    @property
    def stderr(self) -> str:
        """The output of both processes on stderr."""
        return self._subject.stderr_text

    def close(self) -> None:
        """Ends both: the child's adapter ends with its stdin, the parent's group is killed."""
        if self._streams is not None:
            self._streams.close()
        if self._wire is not None:
            self._wire.close()
        self._subject.close()
        self._remove()

    def _remove(self) -> None:
        self._listener.close()
        shutil.rmtree(self._directory, ignore_errors=True)
