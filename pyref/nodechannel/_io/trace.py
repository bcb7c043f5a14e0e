"""The wire trace: each frame that a channel reads or writes, each on a line, for the search for a fault.

    12:34:56.789012 4711 fd 3 -> {"cmd":"NODE_HANDLE","type":"net.Server","msg":"take it"} +fd 9
    12:34:56.789324 4711 fd 3 <- {"cmd":"NODE_HANDLE_ACK"}

The trace stands at the transport, below the rest: it shows the bytes that the kernel took and gave, and when. The trace cannot break the
channel: when a line cannot be written, there is a warning, and the trace ends. While it is on, an exception that a signal handler raises
inside of it can lose the bytes of that call.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from operator import call

from nodechannel._transport.owned import OwnedFile
from nodechannel._transport.rights import TRUNCATED, descriptors_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from logging import Logger
    from typing import Any

    from nodechannel._core.serialization import Body, Framer, Serialization
    from nodechannel._transport.owned import OwnedFd
    from nodechannel._transport.seam import Received, Transport

SENT, RECEIVED = "->", "<-"

# A frame of more bytes than this is shown by its beginning and its end.
LONGEST = 400
_END = 60

_STDERR = 2


def open_trace(
    transport: Transport, serialization: Serialization, target: str, logger: Logger | None
) -> Transport:
    """Return a transport that shows its frames, in the place of a silent transport; the same transport if no trace can be written."""
    sinks: list[Sink] = []
    if target:
        try:
            sinks.append(File(target))
        except OSError as error:
            _warn(f"NODECHANNEL_TRACE={target}: {error.strerror}; the channel is not traced")
    if logger is not None:
        sinks.append(Log(logger))
    if not sinks:
        return transport
    traced: Any = TracedTransport(transport, Trace(f"fd {transport.fileno()}", sinks, serialization.framer))
    return traced  # type: ignore[no-any-return]


class TracedTransport:
    """A transport that shows all frames that pass; all else is that of the transport beneath."""

    # The bytes are shown as they come.
    receive_to = None

    def __init__(self, beneath: Transport, trace: Trace) -> None:
        self._beneath = beneath
        self._trace = trace
        self.receive = (partial(self._receive, beneath.receive),)
        self.receive_now = (partial(self._receive, beneath.receive_now),)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._beneath, name)

    def _receive(self, calls: Iterable[Callable[[], Received]]) -> Received:
        """Receive, and show the bytes."""
        try:
            [received] = map(call, calls)
        except ConnectionError as error:
            self._trace.note(RECEIVED, f"the connection is broken: {error.strerror}")
            raise
        data, ancillary, flags, _ = received
        self._trace.received(data, descriptors_in(ancillary), dropped=bool(flags & TRUNCATED))
        return received

    def send(self, data: bytes | memoryview, *args: Any) -> int:
        """Send, and show what the kernel took."""
        return self._sent(data, (), self._beneath.send, data, *args)

    def packed(self, data: bytes | memoryview, fd: OwnedFd) -> tuple[Any, ...]:
        """Return the arguments of `send_with`: a part that is shown, and a part for the transport beneath."""
        return data, fd, self._beneath.packed(data, fd)

    def send_with(self, data: bytes | memoryview, fd: OwnedFd, packed: tuple[Any, ...]) -> int:
        """Send with a descriptor, and show what the kernel took."""
        return self._sent(data, (fd.fileno(),), self._beneath.send_with, *packed)

    def _sent(
        self, data: bytes | memoryview, fds: Sequence[int], sending: Callable[..., int], *args: Any
    ) -> int:
        try:
            count = sending(*args)
        except ConnectionError as error:
            self._trace.note(SENT, f"the connection is broken: {error.strerror}")
            raise
        self._trace.sent(memoryview(data)[:count], fds)
        return count

    def close(self) -> None:
        """Close the transport, and show it."""
        if self._beneath.fileno() >= 0:
            self._beneath.close()
            self._trace.close()


class Trace:
    """The trace of a channel.

    Args:
        label: the name of the channel in each line.
        sinks: where the lines go.
        framer: makes a framer, for bodies of any size.
    """

    def __init__(self, label: str, sinks: list[Sink], framer: Callable[[None], Framer]) -> None:
        self._label = label
        self._sinks = sinks
        self._framers = {SENT: framer(None), RECEIVED: framer(None)}
        # Descriptors that passed, and whose frame is not complete.
        self._fds: dict[str, list[int]] = {SENT: [], RECEIVED: []}
        self._unreadable: set[str] = set()

    def received(self, data: bytes, fds: Sequence[int], *, dropped: bool) -> None:
        """Show the result of a call; no data is the end of the stream."""
        if dropped:
            self.note(RECEIVED, "the kernel dropped descriptors")
        if data:
            self._pass(RECEIVED, data, fds)
        else:
            self.note(RECEIVED, "end of the stream")

    def sent(self, data: memoryview, fds: Sequence[int]) -> None:
        """Show the bytes that the kernel took."""
        self._pass(SENT, bytes(data), fds)

    def close(self) -> None:
        """Show that the channel is closed, and let go of the sinks."""
        self.note("--", "closed")
        for sink in self._sinks:
            sink.close()
        self._sinks.clear()

    def _pass(self, way: str, data: bytes, fds: Sequence[int]) -> None:
        try:
            self._show(way, data, fds)
        except Exception as error:  # the channel goes on after any error
            self._end(error, list(self._sinks))

    def _show(self, way: str, data: bytes, fds: Sequence[int]) -> None:
        framer, waiting = self._framers[way], self._fds[way]
        if not self._sinks or way in self._unreadable:
            return
        bodies = framer.feed(data)
        waiting += fds
        # A call gives the descriptors of the last frame that begins in it.
        for number, body in enumerate(bodies, 1):
            owned = waiting if number == len(bodies) and not framer.buffered else []
            self.note(way, _shown(body) + "".join(f" +fd {fd}" for fd in owned))
            owned.clear()
        if framer.error is not None:
            self._unreadable.add(way)
            self.note(way, f"not readable from here on: {framer.error}")

    def note(self, way: str, text: str) -> None:
        """Write a line."""
        for sink in list(self._sinks):
            try:
                sink.write(f"{self._label} {way} {text}")
            except Exception as error:
                self._end(error, [sink])

    def _end(self, error: Exception, sinks: list[Sink]) -> None:
        """Write no more to those sinks, and warn."""
        for sink in sinks:
            self._sinks.remove(sink)
            sink.close()
        _warn(f"the wire trace ends: {error}")


class File:
    """Lines at the end of a file, or on stderr.

    Args:
        target: ``stderr``, or a path, in which ``%p`` stands for the process id. Raises `OSError`.
    """

    def __init__(self, target: str) -> None:
        self._file: OwnedFile | None = None
        self._lost = 0
        if target != "stderr":
            # Frames hold the contents of messages, which are for the owner alone.
            path = target.replace("%p", str(os.getpid()))
            self._file = OwnedFile(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))

    def write(self, text: str) -> None:
        """Append a line with its time and the process id; raises `OSError`."""
        now = time.time()
        moment = f"{time.strftime('%H:%M:%S', time.localtime(now))}.{int(now % 1 * 1e6):06}"
        lost = f" ({self._lost} lines were lost)" if self._lost else ""
        try:
            os.write(
                _STDERR if self._file is None else self._file.fileno(),
                f"{moment} {os.getpid()} {text}{lost}\n".encode("utf-8", "backslashreplace"),
            )
            self._lost = 0
        except BlockingIOError:  # a pipe whose reader is slow, and which must not slow the channel down
            self._lost += 1

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


class Log:
    """Records of a logger."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def write(self, text: str) -> None:
        """Log a line."""
        self._logger.debug("%s", text)

    def close(self) -> None:
        """Keep it: a logger is never closed."""


if TYPE_CHECKING:
    Sink = File | Log


def _shown(body: Body) -> str:
    """Return a frame as a single line of text, without its middle if it is long."""
    if len(body) <= LONGEST:
        return _readable(body)
    start, end = body[: LONGEST - _END], body[-_END:]
    return f"{_readable(start)} ... {_readable(end)} ({len(body)} bytes)"


def _readable(body: Body) -> str:
    """Return bytes as text; bytes that cannot be read or would move the cursor of a terminal are escaped."""
    text = body.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _warn(text: str) -> None:
    """Warn, but never raise: where warnings are errors, the text goes to stderr."""
    import warnings

    try:
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    except RuntimeWarning:
        print(f"nodechannel: {text}", file=sys.stderr)
