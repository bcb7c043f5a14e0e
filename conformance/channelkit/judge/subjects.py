"""Subject descriptions: how to start an implementation, in which role, up to which rung."""

import json
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from channelkit.catalogue.members import ROLES
from channelkit.errors import UsageError
from channelkit.judge.codec import ROLE as CODEC
from channelkit.judge.known import KnownFailure
from channelkit.judge.known import read as read_known
from channelkit.process.session import Plan
from channelkit.resources import find
from channelkit.runtimes.node import OLDEST_NODE, find_node
from channelkit.runtimes.pinned import named
from channelkit.wire.headers import WIRES
from channelkit.wire.modes import SERIALIZATIONS


@dataclass(frozen=True, slots=True)
class Description:
    """One subject. ``reproduce`` is the part of the command line that selects it."""

    name: str
    role: str
    rung: int
    command: tuple[str, ...]
    reproduce: str
    known: dict[str, KnownFailure] = field(default_factory=dict, hash=False)
    capabilities: tuple[str, ...] = ()
    """The capabilities of an echo child. It sends no `hello`, so its description declares them."""
    problem: str = ""
    """Why the subject cannot be started here; empty when it can."""
    mode: str = "json"
    """The mode of its channel."""
    wire: str = WIRES[0]
    """The form of its bytes."""
    validate: bool = False
    attach: bool = False

    @property
    def plan(self) -> Plan:
        """How to start it."""
        return Plan(
            self.command, self.role, self.rung, self.validate, self.attach, mode=self.mode, wire=self.wire
        )


HANDLES = tuple(
    f"receive:{one}" for one in ("net.Server", "net.Socket", "dgram.Socket", "net.Native", "dgram.Native")
)
"""The capabilities of an echo child that takes handles of every type."""


def from_command(
    command: str, role: str, rung: int, known: Path | None, capabilities: tuple[str, ...] = ()
) -> Description:
    """The subject that ``--child`` or ``--parent`` names. Raises :class:`UsageError` when it is no command."""
    try:
        argv = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"--{role}: {error}") from error
    if not argv:
        raise UsageError(f"--{role}: the command is empty")
    if shutil.which(argv[0]) is None:
        raise UsageError(f"--{role}: there is no program {argv[0]}")
    options = ["--" + role, command]
    if role == "child":
        options += ["--rung", str(rung)]
    if capabilities:
        options += ["--handles", ",".join(capabilities)]
    listed = read_known(known) if known else {}
    return Description(role, role, rung, argv, shlex.join(options), listed, capabilities)


def from_path(path: Path) -> list[Description]:
    """The descriptions in a directory, in order of name, or the description in a file. Raises :class:`UsageError`."""
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"{path}: no subject descriptions (*.json) are here")
    found = [_from_file(file) for file in files]
    names = [one.name for one in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UsageError(f"{path}: several subjects are named {', '.join(sorted(twice))}")
    return found


def _from_file(file: Path) -> Description:
    try:
        entry = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: not a subject description: {error}") from error
    problem = fault_of(entry)
    if problem:
        raise UsageError(f"{file}: {problem}")
    command, absent = _expand(entry["command"])
    known = read_known(file.parent / entry["known"]) if "known" in entry else {}
    reproduce = f"--subjects {shlex.quote(str(file))}"
    can = tuple(entry.get("capabilities", ()))
    form = {"mode": entry.get("mode", "json"), "wire": entry.get("wire", WIRES[0])}
    return Description(
        entry["name"], entry["role"], entry["rung"], command, reproduce, known, can, absent, **form
    )


def fault_of(entry: Any) -> str:
    """The fault in a description as it stands in a file; empty when there is none."""
    if not isinstance(entry, dict):
        return "a subject description is an object"
    if unknown := entry.keys() - {"name", "role", "rung", "command", "known", "capabilities", "mode", "wire"}:
        return f"unknown field {', '.join(sorted(unknown))}"
    if not isinstance(entry.get("name"), str) or entry.get("role") not in (*ROLES, CODEC):
        return "a subject has a name and a role"
    if entry.get("rung") not in (0, 1, 2, 3) or (entry["role"] == "parent" and entry["rung"] != 3):
        return "a subject has a rung from 0 to 3, as parent 3"
    if entry["role"] in ("worker", "primary") and entry["rung"] != 0:
        return "a worker or primary has rung 0"
    if entry.get("mode", "json") not in SERIALIZATIONS:
        return f"a mode is one of {', '.join(SERIALIZATIONS)}"
    if entry.get("wire", WIRES[0]) not in WIRES:
        return f"a wire is one of {', '.join(WIRES)}"
    command = entry.get("command")
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        return "a subject has a command, a list of words"
    if not isinstance(entry.get("known", ""), str):
        return "`known` names a file"
    if "capabilities" in entry and (entry["role"] != "child" or entry["rung"] != 0):
        return "`capabilities` belong to an echo child; an adapter declares its own in its `hello`"
    if not all(isinstance(one, str) for one in entry.get("capabilities", ())):
        return "`capabilities` is a list of strings"
    return ""


def _expand(command: list[str]) -> tuple[tuple[str, ...], str]:
    """Fills in ``{python}``, ``{node}``, ``{node@20}``, ``{bun}``, ``{deno}`` and ``{kit}/…``; also returns the absent programs."""
    words = []
    for word in command:
        if word == "{node}":
            node = find_node()
            if node is None:
                return tuple(command), f"no Node of major {OLDEST_NODE} or later was found"
            words.append(node.path)
        elif word.startswith("{node@") or word in ("{bun}", "{deno}"):
            runtime = named(word[1:-1])
            if not runtime.is_there:
                return tuple(
                    command
                ), f"{runtime.name}: {runtime.state}; `channelkit runtimes fetch {runtime.name}`"
            words.append(str(runtime.path))
        elif word.startswith("{kit}/"):
            try:
                words.append(str(find(word.removeprefix("{kit}/"))))
            except UsageError as error:
                return tuple(command), str(error)
        else:
            words.append(sys.executable if word == "{python}" else word)
    return tuple(words), ""
