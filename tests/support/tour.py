"""A page typed as a new user would: every file that it shows is written, every command is run, every output compared."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from support.node import node

FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def matches(expected: str, output: str) -> bool:
    """Compare as doctest does: an ellipsis stands for anything."""
    pattern = ".*".join(map(re.escape, expected.split("...")))
    return re.fullmatch(pattern, output, re.DOTALL) is not None


class Tour:
    """A folder in which a page is followed.

    Args:
        folder: the folder, which is empty.
        python: what `python3` starts. Its scripts, such as `channelkit`, are found too.
        limit: seconds for a command, of which the echo in bash takes half a minute on a busy machine.
    """

    def __init__(self, folder: Path, python: str = sys.executable, limit: float = 100) -> None:
        self.folder = folder
        self._limit = limit
        tools = folder / "bin"
        tools.mkdir()
        for name, target in {"python3": python, "node": node()}.items():
            # Wrappers, not links: an interpreter finds its virtual environment by its own path.
            (tools / name).write_text(f'#!/bin/sh\nexec "{target}" "$@"\n')
            (tools / name).chmod(0o755)
        self._path = os.pathsep.join([str(tools), str(Path(python).parent), os.environ["PATH"]])

    def run(self, command: str) -> str:
        """Run a command of the shell; return its output. No process of it lives longer than the call."""
        with subprocess.Popen(
            ["sh", "-c", command],
            cwd=self.folder,
            env={**os.environ, "PATH": self._path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as shell:
            try:
                output, complaints = shell.communicate(timeout=self._limit)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(shell.pid, signal.SIGKILL)
        assert shell.returncode == 0, output + complaints
        return output

    def follow(self, text: str, also: tuple[str, ...] = ()) -> int:
        """Follow a page, or a section; return how many commands it ran. Fences in the languages of `also` are only shown."""
        ran = 0
        for fence in FENCE.finditer(text):
            language, body = fence.groups()
            if language == "console":
                command, _, expected = body.removeprefix("$ ").partition("\n")
                output = self.run(command)
                assert matches(expected, output), output
                ran += 1
            elif language not in also:
                (self.folder / self._name(text[: fence.start()])).write_text(body)
        return ran

    def _name(self, before: str) -> str:
        """The file that a fence shows: the last name in backquotes that the sentence before it has."""
        sentence = before.rstrip("\n").rpartition("\n\n")[2]
        names: list[str] = [
            name for name in re.findall(r"`([\w.-]+)`", sentence) if re.search(r"\.\w+$", name)
        ]
        assert names, f"a fence without the name of its file, behind: {before[-200:]}"
        return names[-1]
