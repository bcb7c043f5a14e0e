"""The Python packages of `node-interop/packages/python/`: an environment for each list, made once by whichever test process comes first.

They are no dependency of the project: a recipe alone needs them.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from support.node import ROOT
from support.packages import INSTALLED, PINS, locked

# Seconds for a first installation on a slow network.
TIME_LIMIT = 300


def uv() -> str:
    """Return the path of uv, which is a dependency of the tests."""
    found = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert found, "no uv: run `make setup`"
    return found


@functools.cache
def python_with(name: str) -> Path:
    """Return the interpreter of an environment that has the packages of the list `name`."""
    pins = PINS / "python" / f"{name}.txt"
    digest = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = INSTALLED / f"{name}-{digest}"
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with locked(INSTALLED / f"{name}.lock"):
        if not folder.exists():
            _install(pins, folder)
    return folder / "bin" / "python"


def _install(pins: Path, folder: Path) -> None:
    """Install beside the place, then rename: an interrupted installation leaves nothing that looks complete."""
    with tempfile.TemporaryDirectory(dir=INSTALLED) as scratch:
        new = Path(scratch) / "new"
        for command in (
            ["venv", "--python", sys.executable, str(new)],
            ["pip", "install", "--python", str(new), "--require-hashes", "-r", str(pins)],
        ):
            subprocess.run([uv(), "-q", *command], check=True, timeout=TIME_LIMIT, process_group=0)
        new.rename(folder)


def environment() -> dict[str, str]:
    """Return the environment in which such an interpreter finds this package."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "pyref")}
