"""How long an interpreter takes to start, empty and with our imports."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median

from bench.running import environment

IMPORTS = {"empty": "pass", "nodechannel": "import nodechannel", "asyncio": "import asyncio"}
IMPORTS["nodechannel.asyncio"] = "import nodechannel.asyncio"


@dataclass(frozen=True)
class Import:
    """Medians of starting an interpreter that imports a module and ends.

    Attributes:
        seconds: from its start to its end.
        cpu: its processor time.
    """

    seconds: float
    cpu: float


def measure(rounds: int) -> dict[str, Import]:
    """Return the time that each of `IMPORTS` takes, the interpreter's own start included."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in IMPORTS}
    for number in range(rounds + 1):
        for name, code in IMPORTS.items():
            one = _start(code)
            if number:  # the first start may compile
                taken[name].append(one)
    return {
        name: Import(median(one[0] for one in all_of_it), median(one[1] for one in all_of_it))
        for name, all_of_it in taken.items()
    }


def _start(code: str) -> tuple[float, float]:
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code], env=environment())
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{code!r} ended with {process.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime
