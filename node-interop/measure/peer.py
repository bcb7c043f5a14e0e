"""A running runtime, and the raw peer end of its channel."""

from __future__ import annotations

import array
import fcntl
import itertools
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from measure.runtimes import Runtime

# A line that says `null`, as opposed to no line.
NULL: dict[str, Any] = {"null": True}
SUBJECT = Path(__file__).with_name("subject.cjs")
# The last descriptor that a shell can name in a redirection.
LAST_LOW = 9
# Seconds to wait for an event that is expected, and for an event that should not come.
PATIENCE = 10.0
SILENCE = 1.0

# The child of a measured parent: it tells its environment, hands its end over, and ends on command.
RELAY = """
import array, fcntl, json, os, socket, sys
fd = os.environ.get("NODE_CHANNEL_FD")
block = open("/proc/self/environ", "rb").read().split(b"\\0")
names = [entry.split(b"=")[0].decode() for entry in block]
facts = {"fd": fd, "mode": os.environ.get("NODE_CHANNEL_SERIALIZATION_MODE"),
         "entries": names.count("NODE_CHANNEL_FD"), "values": [e.decode() for e in block if e.startswith(b"NODE_CHANNEL_FD=")]}
number = int(facts["values"][-1].partition("=")[2])
end = socket.socket(fileno=number)
facts["family"] = end.family.name + " " + end.type.name.split("|")[0]
facts["blocking"] = os.get_blocking(number)
facts["buffer"] = end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
facts["inherited"] = sorted(int(n) for n in os.listdir("/proc/self/fd"))
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
link.sendmsg([json.dumps(facts).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [number]))])
end.close()
order = link.recv(16)
os._exit(int(order or b"0"))
"""


class Peer:
    """A runtime that runs a program of `subject.cjs`, and our raw end of its channel.

    Args:
        program: JavaScript, which sees the helpers of `subject.cjs`.
        role: `child`, or `parent` of the relay, which gives us its end.
        env: more variables; `{fd}` in a value stands for the number of the channel. A name in bytes is a second entry of that name.
        descriptor: the number in `NODE_CHANNEL_FD` instead of the channel.
        at: the place of the channel when it is one of the standard streams.
        number: the number of the channel, when it is 3 or more than 99.
        keep: leaves a copy of the runtime's own end in `theirs`, to count the bytes that it has not read.
    """

    def __init__(
        self,
        runtime: Runtime,
        program: str = "echo(open())",
        *,
        role: str = "child",
        env: Mapping[Any, str] | None = None,
        descriptor: int | None = None,
        at: int | None = None,
        number: int | None = None,
        keep: bool = False,
    ) -> None:
        self.descriptors: deque[int] = deque()
        self.facts: dict[str, Any] = {}
        self.ended = False
        self._probes = itertools.count(1)
        self._buffer = bytearray()
        self._folder = tempfile.TemporaryDirectory(prefix="measure-")
        self._said = b""
        self._link: socket.socket | None = None
        self.theirs: socket.socket | None = None
        self.inode = 0
        environment: dict[Any, str] = {k: v for k, v in os.environ.items() if not k.startswith("NODE_")}
        words = [*runtime.command, str(SUBJECT), program, role]
        if role == "parent":
            address = os.path.join(self._folder.name, "link")  # noqa: PTH118 (socket addresses are strings)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(address)
            listener.listen()
            words += [sys.executable, "-I", "-S", "-c", RELAY, address]
            self.process = self._start(words, {**environment, **(env or {})}, ())
            try:
                self.end = self._take_over(listener)
            except BaseException:
                self._clean_up()
                raise
        else:
            self.end, theirs = socket.socketpair()
            if number is not None and number > LAST_LOW:
                # The lowest free number from there on: another thread may have the same wish.
                theirs = _moved(theirs, number)
            elif number is not None:
                words = ["/bin/sh", "-c", f'exec {number}<&0 0</dev/null; exec "$@"', "sh", *words]
            low = number if number is not None and number <= LAST_LOW else None
            number = next(one for one in (low, at, descriptor, theirs.fileno()) if one is not None)
            if low is not None:
                at = 0
            environment |= {
                "NODE_CHANNEL_FD": str(number),
                "NODE_CHANNEL_SERIALIZATION_MODE": "json",
            }
            environment |= {name: value.replace("{fd}", str(number)) for name, value in (env or {}).items()}
            passed = (theirs.fileno(),) if descriptor is None else (descriptor,)
            self.process = self._start(words, environment, passed, at)
            self.inode = os.fstat(theirs.fileno()).st_ino
            self.theirs = theirs
            if not keep:
                theirs.close()

    def _start(
        self, words: list[str], env: dict[Any, str], passed: tuple[int, ...], at: int | None = None
    ) -> subprocess.Popen[bytes]:
        with (Path(self._folder.name) / "stderr").open("wb") as errors:
            streams = [subprocess.DEVNULL, subprocess.PIPE, errors.fileno()]
            if at is not None:
                streams[at] = passed[0]
            return subprocess.Popen(
                words,
                stdin=streams[0],
                stdout=streams[1],
                stderr=streams[2],
                env=env,
                cwd=self._folder.name,
                pass_fds=passed if at is None else (),
                start_new_session=True,
            )

    def _take_over(self, listener: socket.socket) -> socket.socket:
        with listener:
            listener.settimeout(PATIENCE)
            self._link, _ = listener.accept()
        text, fds, _, _ = socket.recv_fds(self._link, 65536, 1)
        self.facts = json.loads(text)
        return socket.socket(fileno=fds[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end.close()
        self._clean_up()

    def _clean_up(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for owned in (self.theirs, self._link, self.process.stdout):
            if owned is not None:
                owned.close()
        while self.descriptors:
            os.close(self.descriptors.popleft())
        self._folder.cleanup()

    @property
    def folder(self) -> Path:
        """The working directory of the runtime."""
        return Path(self._folder.name)

    @property
    def errors(self) -> str:
        """The text on the standard error of the runtime."""
        return (self.folder / "stderr").read_text("utf-8", "replace")

    def end_child(self) -> None:
        """Let the child of a measured parent exit; its end of the channel is ours and stays open."""
        assert self._link is not None
        self._link.sendall(b"0")

    # ---- writing

    def write(self, data: Any, *fds: int) -> None:
        """Write bytes, or a value as a line; descriptors ride on the first byte."""
        raw = data if isinstance(data, bytes) else line(data)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            sent = self.end.sendmsg([raw], rights)
            self.end.sendall(raw[sent:])
        except OSError:
            return  # the runtime is gone; the next step shows how

    def pieces(self, *parts: bytes) -> None:
        """Write each part when the part before it has been read."""
        for part in parts:
            self.write(part)
            self.until_read()

    def until_read(self) -> None:
        """Wait until the runtime has read all that was written, so that the next write is a read of its own."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if not struct.unpack("i", fcntl.ioctl(self.end, termios.TIOCOUTQ, bytes(4)))[0]:
                    break
            except OSError:
                break
            time.sleep(0.002)
        time.sleep(0.02)  # the read has returned, and its effects follow

    # ---- reading

    def read(self, seconds: float) -> bool:
        """Read once within some seconds; False when no byte comes."""
        if self.ended or not select.select([self.end], [], [], seconds)[0]:
            return False
        try:
            data, ancillary, _, _ = self.end.recvmsg(65536, socket.CMSG_SPACE(64 * 4))
        except OSError:
            data, ancillary = b"", []
        for _, _, payload in ancillary:
            numbers = array.array("i")
            numbers.frombytes(payload)
            self.descriptors.extend(numbers)
        self.ended = not data
        self._buffer += data
        return True

    def raw_line(self, seconds: float = PATIENCE) -> bytes | None:
        """Return the next line, None when none comes."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            if not self.read(max(0.0, deadline - time.monotonic())):
                return None
        found, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer[:] = rest
        return found

    def line(self, seconds: float = PATIENCE) -> Any:
        """Return the value of the next line, None when none comes."""
        found = self.raw_line(seconds)
        if found is None:
            return None
        if found == b"null":
            return NULL
        try:
            return json.loads(found)
        except ValueError:
            return {"not JSON": found.decode("latin-1")}

    def fact(self, seconds: float = PATIENCE) -> Any:
        """Return the next fact that the program said, None when none comes."""
        out = self.process.stdout
        if out is None:
            return None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._said:
            if not select.select([out], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return None
            data = os.read(out.fileno(), 65536)
            if not data:
                return None
            self._said += data
        found, _, self._said = self._said.partition(b"\n")
        return json.loads(found)

    # ---- outcomes

    def settle(self) -> tuple[list[Any], str]:
        """Send a probe; return the lines before its answer, and the fate of the runtime (`lives`, `exit 1`, ...)."""
        number = next(self._probes)
        self.until_read()
        self.write({"probe": number})
        lines: list[Any] = []
        while (found := self.line()) is not None:
            if found == {"probe": number}:
                return lines, "lives"
            lines.append(found)
        return lines, self.end_of_it()

    def end_of_it(self, seconds: float = SILENCE * 2) -> str:
        """Return how the process ended, or that it ended the channel, or neither."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return "ends the channel" if self.ended else "silent"
        if status == 0:
            return "ends the channel"
        return f"exit {status}" if status > 0 else signal.Signals(-status).name

    def rest(self, seconds: float = PATIENCE) -> int | None:
        """Read to the end of the channel; return the number of bytes, None when the end does not come."""
        deadline = time.monotonic() + seconds
        count = len(self._buffer)
        self._buffer.clear()
        while not self.ended:
            if not self.read(max(0.0, deadline - time.monotonic())):
                return None
            count += len(self._buffer)
            self._buffer.clear()
        return count

    def take_descriptor(self) -> int | None:
        """Return the oldest descriptor that arrived; the caller closes it."""
        return self.descriptors.popleft() if self.descriptors else None


def _moved(one: socket.socket, number: int) -> socket.socket:
    """Return the same socket under the lowest free number from this one on."""
    with one:
        return socket.socket(fileno=fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, number))


def line(value: Any) -> bytes:
    """Return a value as a line of the channel."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
