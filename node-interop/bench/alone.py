"""Work within a single process, for which `peers/alone.py` stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.running import PEERS, environment

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

ROOT = Path(__file__).resolve().parents[2]


class WorkFailed(Exception):
    """The process of a work has ended; its reason stands on standard error."""


class Alone:
    """A process that does a work on order; as a context manager it ends with the block.

    Args:
        work: a name of `peers/alone.py`.
        tree: the checkout whose `nodechannel` it imports.

    Attributes:
        absent: whether that revision cannot do the work.
        least: how many operations are done together.
        memory: bytes of Python objects for each channel, None where they are not counted.
    """

    def __init__(self, work: str, tree: Path = ROOT) -> None:
        self._work = work
        self._process = subprocess.Popen(
            [sys.executable, str(PEERS / "alone.py"), work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment() | {"PYTHONPATH": os.fspath(tree / "pyref"), "PYTHONHASHSEED": "0"},
            process_group=0,
        )
        try:
            answer = self._answer()
        except BaseException:
            self.kill()
            raise
        self.absent = answer == "absent"
        self.least: int = 1 if self.absent else answer["least"]
        self.memory: float | None = None if self.absent else answer["memory"]

    def cost(self, count: int) -> float:
        """Return the seconds of processor time for each of so many operations."""
        count = max(1, count // self.least) * self.least
        return float(self._order(str(count))) / count

    def bytecodes(self) -> float | None:
        """Return the bytecodes of `nodechannel` in each operation, None where they are not counted."""
        found = self._order("bytecodes")
        return None if found is None else float(found)

    def kill(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _order(self, order: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(order.encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise WorkFailed(self._work)
        return json.loads(line)
