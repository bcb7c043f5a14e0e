"""The programs that the ends of a pair run in."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from channelkit.runtimes.fetch import FetchError, fetch
from channelkit.runtimes.node import find_node
from channelkit.runtimes.pinned import named

if TYPE_CHECKING:
    from collections.abc import Iterable


def find(wanted: Iterable[str], *, offline: bool = False) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the command line of each runtime, and the reasons why runtimes are absent.

    Node comes from ``NODE`` or from PATH; Bun and Deno are the pinned versions, fetched unless `offline`.
    """
    commands: dict[str, list[str]] = {}
    absent: dict[str, str] = {}
    for name in sorted(wanted):
        try:
            commands[name] = _command(name, offline=offline)
        except (LookupError, FetchError, ImportError) as error:
            absent[name] = str(error)
    return commands, absent


def _command(name: str, *, offline: bool) -> list[str]:
    if name == "python":
        return [sys.executable]
    if name == "uvloop":
        __import__("uvloop")
        return [sys.executable]
    if name == "node":
        chosen = os.environ.get("NODE")
        found = None if chosen else find_node()
        if not chosen and not found:
            raise LookupError("no node on PATH")
        return [chosen or found.path] if found else [str(chosen)]
    pinned = named(name)
    if offline and not pinned.is_there:
        raise LookupError(f"not fetched: channelkit runtimes fetch {name}")
    path = str(pinned.path if pinned.is_there else fetch(pinned))
    return [path, "run", "-A"] if name == "deno" else [path]


def versions(commands: dict[str, list[str]]) -> dict[str, str]:
    """Return the version that each runtime prints."""
    found = {}
    for name, command in commands.items():
        if name == "uvloop":
            found[name] = str(__import__("uvloop").__version__)
        else:
            told = subprocess.run([command[0], "--version"], capture_output=True, text=True, check=True)
            found[name] = told.stdout.split("\n")[0].split(" ", 1)[-1].removeprefix("v")
    return found
