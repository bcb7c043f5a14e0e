"""The words of a parent's end about its child process, for each front end: state, signals, and the end with a grace."""

from __future__ import annotations

from nodechannel._lazy import signal, typing
from nodechannel._start.ending import GRACE, signal_name
from nodechannel._transport.system import send_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    import subprocess


class Child:
    """What both front ends say of a child.

    Attributes:
        process: the process.
    """

    process: typing.Any

    @property
    def pid(self) -> int:
        """The process id."""
        return int(self.process.pid)

    @property
    def exit_code(self) -> int | None:
        """The exit status, or None while the child runs or when a signal ended it."""
        code = self._return_code()
        return code if code is not None and code >= 0 else None

    @property
    def signal_code(self) -> str | None:
        """The name of the signal that ended the child, like ``SIGKILL``, or None."""
        # [LIF-020]
        return signal_name(self._return_code())

    def _return_code(self) -> int | None:
        """The exit status or the negative number of the signal, or None while the child runs."""
        raise NotImplementedError


class BlockingChild(Child):
    """A child whose process is one of `subprocess`."""

    process: subprocess.Popen[typing.Any]

    def _return_code(self) -> int | None:
        return self.process.poll()

    def kill(self, signal: int | signal.Signals = 15) -> None:
        """Send a signal, SIGTERM if none is given; nothing else is touched."""
        self.process.send_signal(signal)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the child to end; return its exit status, or the negative number of a signal. Raises `TimeoutError`."""
        raise NotImplementedError

    def _end_process(self, grace: float) -> None:
        """Wait for the child to end by itself for `grace` seconds, then by SIGTERM, then by SIGKILL."""
        try:
            self.wait(grace)
        except TimeoutError:
            self.process.terminate()
            try:
                self.wait(GRACE)
            except TimeoutError:
                self.process.kill()
                self.wait()


class AsyncioChild(Child):
    """A child whose process is one of `asyncio.subprocess`."""

    process: asyncio.subprocess.Process

    def _return_code(self) -> int | None:
        return self.process.returncode

    def kill(self, signal: int | signal.Signals = 15) -> None:
        """Send a signal, SIGTERM if none is given; nothing else is touched."""
        # asyncio's own `send_signal` looks whether the child has ended. That may take the exit status from the event loop.
        if self.process.returncode is not None:
            return
        # A child that has ended meanwhile is no error, as in the blocking front end.
        try:  # noqa: SIM105 (importing contextlib takes longer than all that this file does)
            send_signal(self.pid, signal)
        except ProcessLookupError:
            pass

    async def wait(self, timeout: float | None = None) -> int:
        """Wait for the child to end; return its exit status, or the negative number of a signal. Raises `TimeoutError`."""
        raise NotImplementedError

    async def _end_process(self, grace: float) -> None:
        """Wait for the child to end by itself for `grace` seconds, then by SIGTERM, then by SIGKILL."""
        try:
            await self.wait(grace)
        except TimeoutError:
            self.kill()
            try:
                await self.wait(GRACE)
            except TimeoutError:
                self.kill(9)
                await self.wait()
