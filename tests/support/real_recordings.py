"""Makes the recordings in `tests/kit/recordings`: pinned runtimes in both roles, clusters, and real packages, all behind a redacting tap.

`python -m support.real_recordings [PART]` writes those whose name holds PART. A runtime that was not fetched is left out. Egg is too large
to be pinned with the other packages: EGG names a folder whose `node_modules` has it (`npm install --ignore-scripts egg@3`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from channelkit.runtimes.pinned import runtimes
from channelkit.tap.follow import words
from channelkit.tap.reading import read
from channelkit.tap.start import Settings
from support import talks
from support.node import ROOT, node
from support.packages import packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = ROOT / "tests" / "kit" / "recordings"
MODES = ("json", "advanced")
PATIENCE = 30
WITHOUT_HANDLES = ("bun", "deno")
WITHOUT_MODES = ("bun", "deno")
"""Runtimes that speak the mode json alone."""
_LAUNCH = {"bun": ("run",), "deno": ("run", "--allow-all")}


def talks_of_runtimes() -> Iterator[tuple[str, list[str]]]:
    """Each pinned runtime as a parent and as a child of its own kind and of the reference; names and commands."""
    here = {one.name: one for one in runtimes() if one.is_there and one.driven and not one.historical}
    for name, one in here.items():
        launch = [str(one.path), *_LAUNCH.get(name, ())]
        alone = name in WITHOUT_HANDLES
        parent = [*launch, "messages.cjs" if alone else "handles.cjs"]
        python = [sys.executable, "messages.py" if alone else "handles.py"]
        for mode in MODES[: 1 if name in WITHOUT_MODES else 2]:
            for left, start in ((name, parent), ("nodechannel", python)):
                for right, child in (
                    (name, [*launch, "echo.cjs"]),
                    ("nodechannel", [sys.executable, "echo.py"]),
                ):
                    if name in (left, right):
                        yield f"{left}-{right}-{mode}", [*start, mode, *child]


def programs() -> Iterator[tuple[str, list[str]]]:
    """Programs whose channels are followed: clusters, and packages with children of Node."""
    for policy in ("round-robin", "shared"):
        yield f"cluster-{policy}", [node(), "cluster.cjs", policy]
    for package in sorted(talks.PACKAGES):
        yield package, [node(), f"{package}.mjs"]
    if egg := os.environ.get("EGG"):
        yield "egg", [node(), "egg.cjs", egg]


def main(part: str = "") -> None:
    """Write the recordings with a text in their names."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        _write_programs(place)
        for talk, command in talks_of_runtimes():
            if part in talk:
                _record(place, talk, command, follow=False)
        for program, command in programs():
            if part in program:
                _record(place, program, command, follow=True)


def _write_programs(place: Path) -> None:
    texts = {
        "messages.cjs": talks.MESSAGES,
        "handles.cjs": talks.HANDLES,
        "messages.py": talks.PARENT_PYTHON,
        "handles.py": talks.PARENT_PYTHON_HANDLES,
        "echo.cjs": talks.ECHO_NODE,
        "echo.py": talks.ECHO_PYTHON,
        "cluster.cjs": talks.CLUSTER,
        **{f"{name}.mjs": text for name, text in talks.PACKAGES.items()},
        **talks.FILES,
    }
    for name, text in texts.items():
        (place / name).write_text(text, "utf-8")
    (place / "node_modules").symlink_to(packages() / "node_modules")


def _record(place: Path, name: str, command: Sequence[str], *, follow: bool) -> None:
    taps = place / name
    settings = Settings(f"{taps}/", redact=True, quiet=True)
    if follow:
        options = ("tap", "--follow", "--redact", "-o", str(taps), "--")
        command = [sys.executable, "-m", "channelkit", *options, *command]
    else:
        # The child is the last two words, or more where its runtime has words of its own.
        at = max(command.index(mode) for mode in MODES if mode in command) + 1
        command = [*command[:at], *words(settings), *command[at:]]
    status = _run(place, command)
    found = sorted(taps.glob("*.ctap"))
    for number, path in enumerate(found[:2]):
        target = FOLDER / f"{name}{f'-{number}' if follow else ''}.ctap"
        _until_ended(path)
        shutil.copy(path, target)
        target.chmod(0o644)
    print(f"{name}: {len(found)} recordings, exit status {status}")


def _run(place: Path, command: Sequence[str]) -> int:
    process = subprocess.Popen(command, cwd=place, process_group=0, stdout=subprocess.DEVNULL)
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def _until_ended(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not any(entry.end for entry in read(path).entries) and time.monotonic() < deadline:
        time.sleep(0.01)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
