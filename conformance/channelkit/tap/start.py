"""The start of a tapped process: the relay goes to a process of its own, and the command takes the place of this process.

So the command keeps the process id, the standard streams, the working directory and the environment that its parent gave. Its channel
is a socket of the relay with the same number and in the same mode. When no relay can be started, the command runs without a relay.
"""

import contextlib
import gc
import json
import os
import resource
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from channelkit.tap.record import PARENT_HOLDS_BOTH, SUFFIX, Entry, Writer
from channelkit.tap.redaction import Redaction
from channelkit.tap.relay import Relay, Sink

FD, MODE, UNIQUE_ID = "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_UNIQUE_ID"
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that are meant for the command. Some reach every process whose command line holds a word of it."""
_RESET = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM)
"""Signals whose handling Python or the command line of the kit changed."""
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit statuses of a command that cannot be started, as a shell has them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of the tap."""

    target: str
    """A file, or a folder in which each recording gets a file."""
    redact: bool = False
    limit: int | None = None
    """Bytes of a part of a recording."""
    keep: int = 4
    """Parts that stay."""
    quiet: bool = False
    """Keeps standard error empty."""
    argv0: str | None = None
    """The name that the command finds as its own."""

    def encoded(self) -> str:
        """The settings as a single word of a command line."""
        return json.dumps(asdict(self))


Observer = Callable[[Path, int], None]
"""Shows a recording that grows: the file, and a descriptor that tells of each entry and ends with the recording."""


def main() -> None:
    """A tapped process as `--follow` starts it: settings as JSON, `--`, the command."""
    sys.exit(run(Settings(**json.loads(sys.argv[1])), sys.argv[3:]))


def run(settings: Settings, command: Sequence[str], observe: Observer | None = None) -> int:
    """Becomes the command; returns an exit status if that is impossible."""
    try:
        _tap(settings, command, observe)
    except OSError as error:
        _say(settings, f"{error.strerror or error}: the command runs without a recording")
    for number in _RESET:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], [settings.argv0 or command[0], *command[1:]])
    except OSError as error:
        print(f"channelkit tap: {command[0]}: {error.strerror}", file=sys.stderr)
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


def _say(settings: Settings, text: str) -> None:
    if not settings.quiet:
        print(f"channelkit tap: {text}", file=sys.stderr, flush=True)


def _tap(settings: Settings, command: Sequence[str], observe: Observer | None) -> None:
    """Puts a relay in front of the channel of this process. Raises :class:`OSError`."""
    if not os.environ.get(FD):
        _say(settings, f"{FD} is not set: the command has no channel, and nothing is recorded")
        return
    number = _number(os.environ[FD])
    writer = Writer(
        _path(settings), _header(command, number, redact=settings.redact), settings.limit, settings.keep
    )
    with contextlib.closing(writer):
        if number is None:
            _say(settings, f"{FD}={os.environ[FD]} names no open socket; {writer.path} says so")
            return
        outer = socket.socket(fileno=os.dup(number))
        mine, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with outer, mine, inner:
            inner.setblocking(os.get_blocking(number))  # the relay changes the mode of the end that was given
            _start_relay(settings, Relay(outer, mine, writer.now), writer, observe)
            os.dup2(inner.fileno(), number, inheritable=True)


def _number(text: str) -> int | None:
    """The descriptor that the environment names, None where it is no open socket."""
    try:
        number = int(text)
        return number if stat.S_ISSOCK(os.fstat(number).st_mode) else None
    except (ValueError, OSError, OverflowError):
        return None


def _path(settings: Settings) -> Path:
    target = Path(settings.target).absolute()
    if settings.target.endswith("/") or target.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return target / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}{SUFFIX}"
    return target


def _header(command: Sequence[str], number: int | None, *, redact: bool) -> dict[str, Any]:
    """The facts about the channel before its first byte."""
    entries = _environment()
    modes = [value for name, value in entries if name == MODE]
    facts: dict[str, Any] = {
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "pid": os.getpid(),
        "ppid": os.getppid(),
        "parent": _name_of(os.getppid()),
        "command": [Path(command[0]).name] if redact else list(command),
        "redacted": redact,
        "mode": modes[-1] if modes else None,
        "number": [value for name, value in entries if name == FD],
        "modes": modes,
        "socket": None if number is None else _socket_facts(number),
    }
    if unique := os.environ.get(UNIQUE_ID):
        facts["worker"] = unique
    return facts


def _socket_facts(number: int) -> dict[str, Any]:
    with socket.socket(fileno=os.dup(number)) as end:
        try:
            end.getpeername()
            connected = True
        except OSError:
            connected = False
        return {
            "family": end.family.name,
            "type": end.type.name,
            "connected": connected,
            "blocking": os.get_blocking(number),
            "inode": os.fstat(number).st_ino,
        }


def _environment() -> list[tuple[str, str]]:
    """The environment as the parent made it, doubled entries included. A system that does not show it gives the present environment."""
    try:
        block = Path("/proc/self/environ").read_bytes()
    except OSError:
        return list(os.environ.items())
    pairs = (os.fsdecode(one).partition("=") for one in block.split(b"\0"))
    return [(name, value) for name, _sign, value in pairs]


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return ""


def _start_relay(settings: Settings, relay: Relay, writer: Writer, observe: Observer | None) -> None:
    """Starts the relay, and the observer before it, as processes that are no children of the command."""
    parent = os.getppid()
    carried = [*relay.filenos(), writer.fileno()]
    if observe is None:
        _detached(lambda: _carry(settings, relay, writer, None, parent), carried)
        return
    ear, bell = os.pipe()
    os.set_blocking(bell, False)
    try:
        _detached(lambda: observe(writer.path, ear), [ear, sys.stdout.fileno(), sys.stderr.fileno()])
        _detached(lambda: _carry(settings, relay, writer, bell, parent), [*carried, bell])
    finally:
        os.close(ear)
        os.close(bell)


def _detached(work: Callable[[], object], kept: Sequence[int]) -> None:
    """Runs a function in an orphaned process with only these descriptors, outside of the process group of the command."""
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return
    try:
        if os.fork() == 0:
            os.setsid()
            for number in _IGNORED:
                signal.signal(number, signal.SIG_IGN)
            _let_go(kept)
            work()
    finally:
        os._exit(0)


def _let_go(kept: Sequence[int]) -> None:
    """Leaves the working directory and the descriptors of the command. A pipe that stayed open here would never end."""
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        if number not in kept:
            os.dup2(nothing, number)
    low = 3
    for number in (*sorted(number for number in kept if number > 2), 1 << 20):
        os.closerange(low, number)
        low = number + 1


def _carry(settings: Settings, relay: Relay, writer: Writer, bell: int | None, parent: int) -> None:
    """The life of the relay."""
    with contextlib.suppress(OSError, ValueError):
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text("channelkit-tap")
    gc.disable()  # entries form no cycles
    sink = _with_bell(_with_look_at_the_parent(writer, relay, parent), bell)
    redaction = Redaction(os.environ.get(MODE, ""), sink) if settings.redact else None
    try:
        relay.run(redaction.add if redaction else sink)
        if redaction:
            redaction.close()
    finally:
        relay.close()
        writer.close()


def _with_look_at_the_parent(writer: Writer, relay: Relay, parent: int) -> Sink:
    """Looks once, with the first entry, whether the parent has kept the end that it gave the child."""
    end = f"socket:[{os.fstat(relay.filenos()[0]).st_ino}]"
    looked = False

    def add(entry: Entry) -> None:
        nonlocal looked
        if not looked:
            looked = True
            if end in _sockets_of(parent):
                writer.add(Entry(entry.time, note=PARENT_HOLDS_BOTH))
        writer.add(entry)

    return add


def _sockets_of(pid: int) -> set[str]:
    found = set[str]()
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(link.readlink()))
    return found


def _with_bell(sink: Sink, bell: int | None) -> Sink:
    if bell is None:
        return sink

    def add(entry: Entry) -> None:
        sink(entry)
        with contextlib.suppress(OSError):  # an observer that has enough to read
            os.write(bell, b"!")

    return add
