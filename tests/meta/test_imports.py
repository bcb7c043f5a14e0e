"""Arrows point one way: the layers of ARCHITECTURE.md, read from the imports."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from support.node import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYREF = ROOT / "pyref" / "nodechannel"
KIT = ROOT / "conformance" / "channelkit"

# Lowest first: a module may import from its own layer and from those before it.
LAYERS = [
    {"errors", "delivery"},
    {"fd", "state", "socketlist", "forks"},
    {"codec", "codec.framing", "codec.exact", "codec.fast", "codec.json", "codec.plain"},
    {"messages", "outbox"},
    {"handover"},
    {"kinds"},
    {"handles"},
    {"connection"},
    {"outgoing"},
    {"steps", "env"},
    {"spawn", "pump"},
    {"sync"},
    {"aiohandles", "wakeup"},
    {"asyncio"},
    {""},
    {"cluster.messages", "cluster.state", "cluster.identity"},
    {"cluster.roundrobin", "cluster.worker"},
    {"cluster.places", "cluster.primary"},
    {"cluster.sync", "cluster.aioserver"},
    {"cluster.asyncio", "cluster.listening", "cluster.processes"},
    {"cluster.supervisor"},
    {"cluster", "cluster.asgi"},
    {"cluster_cli"},
    {"cli", "__main__"},
]

# What the core must not touch; `delivery` and `handles` make a socket of a descriptor when their user claims it ([rule 3 of the house]).
SANS_IO = {
    "connection",
    "outbox",
    "handover",
    "messages",
    "state",
    "socketlist",
    "codec",
    "codec.framing",
    "codec.exact",
    "codec.fast",
    "codec.json",
    "codec.plain",
    "cluster.messages",
    "cluster.state",
    "cluster.roundrobin",
    "cluster.worker",
    "cluster.primary",
}
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


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports at run time; imports for type checkers alone do not count."""
    tree = ast.parse(path.read_text())
    hidden = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
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
    path = ROOT / "pyref" / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def modules(package: Path) -> dict[str, Path]:
    names = {
        path: ".".join(path.relative_to(package).with_suffix("").parts) for path in package.rglob("*.py")
    }
    return {name.removesuffix("__init__").rstrip("."): path for path, name in names.items()}


def layer(name: str) -> int:
    return next(number for number, members in enumerate(LAYERS) if name in members)


def test_every_module_has_one_layer():
    listed = [name for members in LAYERS for name in members]
    assert sorted(listed) == sorted(modules(PYREF))


@pytest.mark.parametrize("name", sorted(modules(PYREF)))
def test_the_reference_imports_downwards(name):
    for imported in imports(modules(PYREF)[name]):
        assert imported.split(".")[0] != "channelkit"
        if imported.split(".")[0] == "nodechannel":
            target = imported.partition(".")[2]
            if target == "" and name in LAYERS[-1]:
                continue
            assert layer(target) <= layer(name), f"{name or 'nodechannel'} imports {imported}"


@pytest.mark.parametrize("name", sorted(SANS_IO))
def test_the_core_touches_nothing_outside(name):
    touched = {imported.split(".")[0] for imported in imports(modules(PYREF)[name])} & IO_MODULES
    assert not touched


@pytest.mark.parametrize("name", sorted(modules(KIT)))
def test_the_kit_imports_neither_the_reference_nor_a_third_party(name):
    import sys

    for imported in imports(modules(KIT)[name]):
        root = imported.split(".")[0]
        assert root == "channelkit" or root in sys.stdlib_module_names, f"{name} imports {imported}"


def test_only_one_file_receives_and_sends():
    calls = [
        name
        for name, path in modules(PYREF).items()
        if ".recvmsg(" in path.read_text() or ".sendmsg(" in path.read_text()
    ]
    assert calls == ["steps"]


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
    from nodechannel import sync

    def words(value: object) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(member).parameters)
            for name, member in inspect.getmembers(value, callable)
            if not name.startswith("_")
        }

    assert words(sync.Channel) == words(aio.Channel)
    assert words(sync.ChildProcess) == words(aio.ChildProcess)
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
    # Without the site module, whose .pth files import things of their own.
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
