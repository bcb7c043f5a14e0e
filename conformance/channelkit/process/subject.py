"""A running subject: its process, its standard streams, and the end of all processes that it started."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence

from channelkit.errors import HarnessError
from channelkit.limits import AT_ONCE
from channelkit.process import leftovers
from channelkit.process.spawn import CHANNEL, environment, kill_group, spawn
from channelkit.process.table import Table
from channelkit.wire.modes import JSON_LINES
from channelkit.wire.visible import visible

_STOPPING = 0.5
"""Seconds for a process to stop; it stops at its next entry into the kernel."""

STDERR_KEPT = 16384
"""The last bytes of stderr, which are kept."""


class Subject:
    """Starts ``argv`` and owns the process and its pipes until :meth:`close`.

    ``channel`` is the child's end of the channel: it becomes blocking, gets the ``number`` and is closed here after the start. It is
    None when the subject makes its channels itself. ``mode`` is the name of the serialization; None leaves the variable out. ``env``
    has variables that replace the variables of the channel; None removes a variable. A ``driven`` subject gets pipes on stdin and
    stdout. Raises :class:`~channelkit.errors.HarnessError` when the command cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        channel: socket.socket | None,
        *,
        driven: bool,
        number: int = CHANNEL,
        mode: str | None = "json",
        env: Mapping[str, str | None] | None = None,
    ) -> None:
        self.status: int | None = None
        """Exit status, negative for a signal, None while it runs."""
        self.stdin: int | None = None
        self.stdout: int | None = None
        self._stderr_text = bytearray()
        self._reaped = False
        self._mark = leftovers.new_mark()
        with contextlib.ExitStack() as theirs:
            inherited = self._pipes(theirs, driven=driven)
            # A parent learns from it in which mode to start its child.
            extra = {} if mode in (None, JSON_LINES.mode) else {"NODE_CHANNEL_SERIALIZATION_MODE": str(mode)}
            if channel is not None:
                theirs.callback(channel.close)
                channel.setblocking(True)
                inherited[number] = channel.fileno()
                usual = {"NODE_CHANNEL_FD": str(number), "NODE_CHANNEL_SERIALIZATION_MODE": mode}
                extra = {name: text for name, text in {**usual, **(env or {})}.items() if text is not None}
            extra[leftovers.NAME] = self._mark
            try:
                self.pid = spawn(argv, environment(extra), inherited)
            except OSError as error:
                self._close_pipes()
                raise HarnessError(f"cannot start {argv[0]}: {error.strerror}") from error
        self.table = Table(self.pid)
        self._pidfd = os.pidfd_open(self.pid) if hasattr(os, "pidfd_open") else None

    def _pipes(self, theirs: contextlib.ExitStack, *, driven: bool) -> dict[int, int]:
        """Makes the pipes and returns the child's ends by their number in the child."""
        stderr_read, stderr_write = os.pipe()
        theirs.callback(os.close, stderr_write)
        self.stderr: int | None = stderr_read
        ends = {2: stderr_write}
        if driven:
            stdin_read, self.stdin = os.pipe()
            self.stdout, stdout_write = os.pipe()
            theirs.callback(os.close, stdin_read)
            theirs.callback(os.close, stdout_write)
            ends |= {0: stdin_read, 1: stdout_write}
        else:
            null = os.open(os.devnull, os.O_RDWR)
            theirs.callback(os.close, null)
            ends |= {0: null, 1: stderr_write}
        for descriptor in (self.stdin, self.stdout, self.stderr):
            if descriptor is not None:
                os.set_blocking(descriptor, False)
        return ends

    @property
    def pidfd(self) -> int | None:
        """A descriptor that becomes readable at the end of the process; None on a system without pidfds."""
        return self._pidfd

    @property
    def stderr_text(self) -> str:
        """The last output of the subject on stderr; with stdout, when the subject is not driven."""
        return visible(self._stderr_text.decode(errors="backslashreplace"), lines=True)

    def read_stderr(self) -> None:
        """Takes the output on stderr, up to :data:`~channelkit.limits.AT_ONCE` bytes."""
        taken = 0
        while self.stderr is not None and taken < AT_ONCE:
            data = read_some(self.stderr)
            if data is None:
                return
            if not data:
                os.close(self.stderr)
                self.stderr = None
                return
            taken += len(data)
            self._stderr_text += data
            del self._stderr_text[:-STDERR_KEPT]

    def poll(self) -> bool:
        """Whether the process has ended; sets :attr:`status`. It is not reaped yet, so its group's id is not reused."""
        if self.status is None:
            if hasattr(os, "waitid"):
                ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if ended is not None:
                    self.status = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
            else:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.status = os.waitstatus_to_exitcode(status)
                    self._reaped = True
        return self.status is not None

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Stops the subject meanwhile, so that its next read takes several writes."""
        try:
            os.killpg(self.pid, signal.SIGSTOP)
            self._await_stop()
            yield
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Stops the process until :meth:`resume`; the processes that it started run on."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGSTOP)
        self._await_stop()

    def resume(self) -> None:
        """Lets a stopped process go on."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)

    def _await_stop(self) -> None:
        until = time.monotonic() + _STOPPING
        while time.monotonic() < until and self.status is None and hasattr(os, "waitid"):
            state = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if state is not None:
                return
            time.sleep(0.0002)  # only a handler of signals would get an event

    def kill(self) -> None:
        """Kills the whole group, whether or not the subject still runs; safe from another thread."""
        if not self._reaped:
            kill_group(self.pid)

    def close_stdin(self) -> None:
        """Tells a driven subject that no command follows."""
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None

    def close(self) -> None:
        """Kills the remaining processes of the group, reaps the subject and closes the pipes."""
        kill_group(self.pid)
        if not self._reaped:
            self._reaped = True
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
        leftovers.give_up(self._mark)
        self.read_stderr()
        self._close_pipes()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    def _close_pipes(self) -> None:
        self.close_stdin()
        for name in ("stdout", "stderr"):
            descriptor = getattr(self, name)
            if descriptor is not None:
                os.close(descriptor)
                setattr(self, name, None)


def read_some(descriptor: int) -> bytes | None:
    """Bytes from a non-blocking descriptor; empty at the end of file, None when there are none yet."""
    try:
        return os.read(descriptor, 65536)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def describe_status(status: int) -> str:
    """An exit status in words, for example ``exit status 1`` or ``SIGKILL``."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def wait_for_pid(pid: int, seconds: float) -> bool:
    """Waits until a process that is no child of ours is gone; True when it is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.005)
    return False
