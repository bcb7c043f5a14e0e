"""Imports point in a single direction: the rooms of ARCHITECTURE.md, compared with the real imports."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from support.node import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYREF = ROOT / "pyref" / "nodechannel"
KIT = ROOT / "conformance" / "channelkit"
PROGRAMS = ROOT / "node-interop"

# Lowest first: a room imports from itself and from the rooms before it. `ARCHITECTURE.md` explains each room.
ROOMS = [
    ["_facade", "_lazy"],
    ["errors", "js"],
    ["_transport"],
    ["_handles"],
    ["_core"],
    ["_json"],
    ["_advanced"],
    ["_start"],
    ["_io"],
    ["_blocking"],
    ["_aio"],
    ["", "asyncio"],
    ["_cluster"],
    ["cluster"],
    ["hop", "_dialects"],
    ["_carriers"],
    ["_stdio", "_nodeipc", "_redis"],
    ["_rsmq", "_nest"],
    ["stdio", "nodeipc", "redis", "rsmq", "nest"],
    ["_bridge"],
    ["_pm2", "_workers", "_rpc", "_execa"],
    ["_lsp"],
    ["pm2", "workers", "rpc", "execa", "lsp"],
    ["_cli", "__main__"],
]

# The two front ends stand side by side.
STRANGERS = {("_aio", "_blocking"), ("_blocking", "_aio")}

KIT_ROOMS = [
    ["errors", "limits", ""],
    ["resources"],
    ["wire"],
    ["schema"],
    ["tap"],
    ["lint"],
    ["look"],
    ["runtimes"],
    ["process"],
    ["steps"],
    ["catalogue"],
    ["judge"],
    ["pairs"],
    ["report"],
    ["cli", "__main__"],
]

# Parts that touch no socket, clock, thread, environment variable or logger (rule 3 of the house): rooms and modules.
SANS_IO = (
    "_core",
    "_json",
    "_advanced",
    "js",
    "_cluster.messages",
    "_cluster.state",
    "_cluster.restarts",
    "_cluster.roundrobin",
    "_cluster.worker",
    "_cluster.primary",
    "_stdio.texts",
    "_stdio.lines",
    "_stdio.headers",
    "_stdio.framing",
    "_stdio.stream",
    "_carriers.backoff",
    "_carriers.events",
    "_nodeipc.event",
    "_nodeipc.frames",
    "_nodeipc.names",
    "_nodeipc.options",
    "_nest.wire",
    "_rsmq.rules",
    "_rsmq.scripts",
)
# `delivery` gives a connection that could not be handed over back as a socket. `codec` has a fork wait for the import of orjson.
ALLOWED = {"_core.delivery": {"socket"}, "_json.codec": {"_thread"}}
IO_MODULES = {
    "socket",
    "select",
    "selectors",
    "asyncio",
    "threading",
    "_thread",
    "time",
    "os",
    "subprocess",
    "logging",
    "signal",
}

# Conditions that are false at run time.
FOR_TYPE_CHECKERS = ("TYPE_CHECKING", "__name__ == 'TYPE_CHECKING'")


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports at run time; imports for type checkers alone do not count."""
    tree = ast.parse(path.read_text())
    hidden = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in FOR_TYPE_CHECKERS
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            submodules = {name for name in named if is_module(name)}
            yield from submodules
            if named - submodules:
                yield node.module


def is_module(name: str) -> bool:
    paths = [home / name.replace(".", "/") for home in (PYREF.parent, KIT.parent, PROGRAMS)]
    return any(path.with_suffix(".py").exists() or (path / "__init__.py").exists() for path in paths)


def modules(package: Path) -> dict[str, Path]:
    names = {
        path: ".".join(path.relative_to(package).with_suffix("").parts) for path in package.rglob("*.py")
    }
    return {name.removesuffix("__init__").rstrip("."): path for path, name in names.items()}


def room(name: str) -> str:
    return name.partition(".")[0]


def floor(name: str, rooms: list[list[str]]) -> int:
    return next(number for number, members in enumerate(rooms) if room(name) in members)


def internal_imports(package: Path) -> dict[str, set[str]]:
    """Return for each module of a package the modules of the same package that it imports."""
    prefix = package.name
    return {
        name: {imported.partition(".")[2] for imported in imports(path) if imported.split(".")[0] == prefix}
        for name, path in modules(package).items()
    }


BOTH = pytest.mark.parametrize(
    ("package", "rooms"), [(PYREF, ROOMS), (KIT, KIT_ROOMS)], ids=["nodechannel", "channelkit"]
)


@BOTH
def test_every_room_is_listed(package, rooms):
    listed = [name for members in rooms for name in members]
    assert sorted(listed) == sorted({room(name) for name in modules(package)})


@BOTH
def test_rooms_import_downwards(package, rooms):
    wrong = [
        f"{name or package.name} imports {imported or package.name}"
        for name, targets in internal_imports(package).items()
        for imported in targets
        if floor(imported, rooms) > floor(name, rooms) or (room(name), room(imported)) in STRANGERS
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "package",
    [PYREF, KIT, *(path.parent for path in sorted(PROGRAMS.glob("*/__init__.py")))],
    ids=lambda package: package.name,
)
def test_no_two_modules_import_each_other(package):
    edges = internal_imports(package)
    assert circle(edges) == []


def circle(edges: dict[str, set[str]]) -> list[str]:
    """Return the modules that are left when each module without an import among the rest is taken away, again and again."""
    rest = {name: {target for target in targets if target != name} for name, targets in edges.items()}
    while leaves := {name for name, targets in rest.items() if not targets & rest.keys()}:
        rest = {name: targets for name, targets in rest.items() if name not in leaves}
    return sorted(rest)


@BOTH
def test_every_room_says_what_it_is_and_what_it_imports(package, rooms):
    for members in rooms:
        for name in members:
            path = package / name / "__init__.py"
            private = name.startswith("_") or package is KIT
            if name and path.exists() and private:
                docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
                assert "Imports" in docstring, f"{name}: {docstring!r}"


@pytest.mark.parametrize("name", sorted(modules(PYREF)))
def test_the_reference_never_imports_the_kit(name):
    assert not any(imported.split(".")[0] == "channelkit" for imported in imports(modules(PYREF)[name]))


@pytest.mark.parametrize("name", sorted(name for name in modules(PYREF) if name.startswith(SANS_IO)))
def test_the_core_touches_nothing_outside(name):
    touched = {imported.split(".")[0] for imported in imports(modules(PYREF)[name])} & IO_MODULES
    assert touched <= ALLOWED.get(name, set())


@pytest.mark.parametrize("name", sorted(modules(KIT)))
def test_the_kit_imports_neither_the_reference_nor_a_third_party(name):
    import sys

    for imported in imports(modules(KIT)[name]):
        root = imported.split(".")[0]
        assert root == "channelkit" or root in sys.stdlib_module_names, f"{name} imports {imported}"


def test_only_one_file_receives_and_sends():
    # Called, or handed to `map`.
    calls = [
        name
        for name, path in modules(PYREF).items()
        if re.search(r"\.(recvmsg|sendmsg)[(,]", path.read_text())
    ]
    assert sorted(calls) == ["_transport.unix"]


def test_the_public_names_are_those_that_are_exported():
    import nodechannel

    exported = set(nodechannel.__all__)
    assert all(hasattr(nodechannel, name) for name in exported)
    errors = {
        name
        for name, value in vars(nodechannel.errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert errors <= exported


def test_both_front_ends_have_the_same_words():
    import inspect

    import nodechannel.asyncio as aio
    from nodechannel._blocking import channel as sync

    def words(value: object) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(member).parameters)
            for name, member in inspect.getmembers(value, callable)
            if not name.startswith("_")
        }

    # Callbacks need an event loop.
    called_back = {"listen", "send_nowait", "pause_reading", "resume_reading"}
    for name in ("Channel", "ChildProcess"):
        more = words(getattr(aio, name))
        assert called_back <= more.keys()
        assert words(getattr(sync, name)) == {
            word: given for word, given in more.items() if word not in called_back
        }
    for name in ("connect", "spawn", "fork"):
        assert list(inspect.signature(getattr(sync, name)).parameters) == list(
            inspect.signature(getattr(aio, name)).parameters
        )


def test_every_error_has_a_code_of_its_own():
    from nodechannel import errors

    codes = [
        value.code
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.ChannelError)
    ]
    assert len(codes) == len(set(codes))


def test_importing_the_package_loads_nothing_heavy():
    import os
    import subprocess
    import sys

    heavy = {
        "argparse",
        "asyncio",
        "contextlib",
        "dataclasses",
        "inspect",
        "json",
        "orjson",
        "shutil",
        "subprocess",
        "typing",
        "uuid",
    }
    # Without the site module, whose .pth files import further modules.
    result = subprocess.run(
        [sys.executable, "-S", "-c", "import sys, nodechannel; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "pyref")},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        process_group=0,
    )
    loaded = set(result.stdout.split())
    assert not heavy & loaded
    assert not any(name.startswith("nodechannel.cluster") for name in loaded)
