"""Interrupting a thread before the n-th line or instruction of the package's own code, as a signal handler or a finalizer does."""

from __future__ import annotations

import array
import dis
import functools
import gc
import json
import os
import random
import sys
import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nodechannel

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Collection
    from types import CodeType, FrameType

_PACKAGE = str(Path(nodechannel.__file__).parent)

# Whether the interpreter tells every instruction to a trace function: since Python 3.12 it leaves out some, others in each run.
ALL_EVENTS = sys.version_info < (3, 12)


class Injection(Exception):
    """The exception that a handler raises."""


class Injector:
    """Runs a handler once, before the n-th line or instruction that a call executes within the package.

    Args:
        at: which line or instruction, from 1.
        but: names of functions that are left out.
        event: "line"; "opcode" for any instruction, before which a finalizer can run; "signal" for the instructions before which the
            interpreter runs handlers of signals, which can raise.

    Attributes:
        seen: how many lines or instructions were executed until then.
        where: the line, once it was reached.
    """

    def __init__(self, at: int, event: str = "line", but: Collection[str] = ()) -> None:
        self._at = at
        self._but = but
        self._event = event
        self._handler: Callable[[], object] = int
        self.seen = 0
        self.where: str | None = None

    def run(self, call: Callable[[], object], handler: Callable[[], object]) -> None:
        """Make the call in this thread. The collector rests: it would finish earlier channels, where an exception has no caller."""
        self._handler = handler
        before = sys.gettrace()
        gc.disable()
        sys.settrace(self._trace)
        try:
            call()
        finally:
            sys.settrace(before)
            gc.enable()

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(_PACKAGE) or frame.f_code.co_name in self._but:
            return None
        if event == "call":
            frame.f_trace_opcodes = self._event != "line"
        elif self.where is None and self._is_wanted(frame, event):
            self.seen += 1
            if self.seen == self._at:
                self.where = f"{frame.f_code.co_filename.removeprefix(_PACKAGE)}:{frame.f_lineno}"
                self._handler()
        return self._trace

    def _is_wanted(self, frame: FrameType, event: str) -> bool:
        if self._event == "signal":
            return event == "opcode" and frame.f_lasti in _after_checks(frame.f_code)
        return event == self._event


@functools.cache
def _after_checks(code: CodeType) -> frozenset[int]:
    """Return the offsets of the instructions that follow a look for signals: after calls and jumps backward, and at the beginning.

    The handler of a signal raises within the call or jump. The exception of a trace function comes at the instruction that follows. So an
    instruction is left out where a `try` or `with` statement ends between the two.
    """
    bytecode = dis.Bytecode(code)
    entries: list[Any] = bytecode.exception_entries  # type: ignore[attr-defined]  # typeshed does not know it
    tried = [(entry.start, entry.end, entry.target) for entry in entries]
    found = set()
    for instruction, following in pairwise(bytecode):
        name = instruction.opname
        offset = int(instruction.argval) if "JUMP_BACKWARD" in name else following.offset
        checks = name.startswith("CALL") or name == "RESUME" or "JUMP_BACKWARD" in name
        if (
            checks
            and "NO_INTERRUPT" not in name
            and _caught(tried, instruction.offset) == _caught(tried, offset)
        ):
            found.add(offset)
    return frozenset(found)


def _caught(tried: list[tuple[int, int, int]], offset: int) -> int | None:
    """Return where an exception at an instruction is caught."""
    return next((target for start, end, target in tried if start <= offset < end), None)


def chosen(places: int, seed: str) -> list[int]:
    """Return some numbers of all places, the same for the same seed; how many, `NODECHANNEL_TEST_PLACES` says."""
    some = min(places, int(os.environ.get("NODECHANNEL_TEST_PLACES", "12")))
    return sorted(random.Random(seed).sample(range(1, places + 1), some))


READY = b'{"n":0}\n{"n":1}\n'


class Peer(threading.Thread):
    """The far end: reads all, acknowledges handles, answers questions, and writes a message on request."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(daemon=True)
        self.sock = sock
        self.lines: list[Any] = []
        self.handles = 0
        self.told = 2
        self.rest = b""
        sock.sendall(READY)

    def run(self) -> None:
        rest = b""
        while True:
            with suppress(ConnectionError):
                data, ancillary, _, _ = self.sock.recvmsg(200_000, 4096)
                for _, _, found in ancillary:
                    for fd in array.array("i", found):
                        os.close(fd)
                        self.handles += 1
                if data:
                    *lines, rest = (rest + data).split(b"\n")
                    self.take(lines)
                    continue
            self.rest = rest
            return

    def take(self, lines: list[bytes]) -> None:
        for line in map(json.loads, lines):
            self.lines.append(line)
            cmd = line.get("cmd") if isinstance(line, dict) else None
            if cmd == "NODE_HANDLE":
                self.sock.sendall(b'{"cmd":"NODE_HANDLE_ACK"}\n')
            elif cmd == "NODE_SOCKET_GET_COUNT":
                self.sock.sendall(b'{"cmd":"NODE_SOCKET_COUNT","key":"k","count":3}\n')
            elif line == "tell":
                self.sock.sendall(b'{"n":%d}\n' % self.told)
                self.told += 1
