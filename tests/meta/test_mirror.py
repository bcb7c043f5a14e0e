"""`tests/unit` mirrors the reference: each module with code of its own has one file of tests, and each file has its module."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from support.node import ROOT

PYREF = ROOT / "pyref" / "nodechannel"
UNIT = ROOT / "tests" / "unit"

WINDOWS = "windows/test_channel.py"

# Modules that another file of tests holds, as a path below `tests`, and why.
HELD_ELSEWHERE: dict[str, tuple[str, str]] = {
    "_advanced/tags.py": (
        "unit/advanced/test_read.py",
        "a table of constants, each of which a frame there has",
    ),
    "_aio/channel.py": ("frontends/test_channel.py", "one suite holds both front ends to the same behaviour"),
    "_aio/listening.py": ("frontends/test_listening.py", "callbacks are called by the channel alone"),
    "_blocking/channel.py": (
        "frontends/test_channel.py",
        "one suite holds both front ends to the same behaviour",
    ),
    "_cli/bridge.py": ("packages/test_bridge.py", "its command runs with the real queues there"),
    "_json/text.py": (
        "unit/json/test_given.py",
        "a record, which `given` makes and the serializations write",
    ),
    "_rpc/dialects.py": ("unit/rpc/test_birpc.py", "a table of two dialects, one of which changes nothing"),
    "_transport/bootstrap.py": ("unit/transport/test_unixboot.py", "a choice between two files"),
    "_transport/pipechild.py": ("windows/test_parent.py", "Windows alone starts a child like that"),
    "_transport/pipelink.py": (WINDOWS, "Windows alone has such pipes"),
    "_transport/pipeboot.py": (WINDOWS, "Windows alone has such pipes"),
    "_transport/seam.py": (
        "frontends/test_other_transport.py",
        "a declaration, which a second transport follows there",
    ),
}

# Rooms of carriers and bridges: their tests stand with the real packages and servers at the far end.
ROOMS_ELSEWHERE: dict[str, str] = {
    "_bridge": "packages/test_bridge.py",
    "_carriers": "packages/test_carriers.py",
    "_nest": "packages/test_nest.py",
    "_nodeipc": "packages/test_nodeipc.py",
    "_redis": "packages/test_redis.py",
    "_rsmq": "packages/test_rsmq.py",
    "_stdio": "packages/test_stdio.py",
}


def modules() -> list[str]:
    """Return the modules of the reference with code of their own, as paths below its folder."""
    found = [path for path in PYREF.rglob("*.py") if path.name != "__init__.py"]
    return sorted(path.relative_to(PYREF).as_posix() for path in found if not _only_passes_on(path))


def _only_passes_on(path: Path) -> bool:
    """Tell whether a module only gives names of other modules on."""
    body = ast.parse(path.read_text("utf-8")).body
    own = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return not any(isinstance(node, own) for node in body) and "_facade.publish(" in path.read_text("utf-8")


def home_of(module: str) -> str:
    """Return the file of tests that holds a module: the same path without the underscores of private rooms."""
    *rooms, name = Path(module).with_suffix("").parts
    return "/".join(["unit", *(room.lstrip("_") for room in rooms), f"test_{name.strip('_')}.py"])


def mirrored() -> list[str]:
    """Return the modules that have to have a file of their own."""
    return [
        module
        for module in modules()
        if module not in HELD_ELSEWHERE and Path(module).parts[0] not in ROOMS_ELSEWHERE
    ]


def test_each_module_has_its_file_of_tests():
    missing = [
        f"{module} -> {home_of(module)}"
        for module in mirrored()
        if not (ROOT / "tests" / home_of(module)).exists()
    ]
    assert missing == []


def test_each_file_of_tests_has_its_module():
    homes = {home_of(module) for module in modules()}
    found = {path.relative_to(ROOT / "tests").as_posix() for path in UNIT.rglob("test_*.py")}
    assert sorted(found - homes) == []


def test_each_exception_is_needed():
    assert set(HELD_ELSEWHERE) <= set(modules())
    assert set(ROOMS_ELSEWHERE) <= {Path(module).parts[0] for module in modules()}
    assert [module for module in HELD_ELSEWHERE if (ROOT / "tests" / home_of(module)).exists()] == []
    for file, *_ in [*HELD_ELSEWHERE.values(), *((file,) for file in ROOMS_ELSEWHERE.values())]:
        assert (ROOT / "tests" / file).exists(), file


def test_each_file_of_tests_uses_its_module():
    """A file under the right name that tests another module would hold nothing."""
    strangers = [
        f"{home_of(module)} does not name {module}"
        for module in mirrored()
        if (ROOT / "tests" / home_of(module)).exists() and not _uses(home_of(module), module)
    ]
    assert strangers == []


def _uses(file: str, module: str) -> bool:
    """Tell whether a file of tests imports a module or its public name, or a module of the same room and says the name."""
    dotted = "nodechannel." + module.removesuffix(".py").replace("/", ".")
    room, _, name = dotted.rpartition(".")
    text = (ROOT / "tests" / file).read_text("utf-8")
    names_it = room in text and re.search(rf"\b{name}", text, re.IGNORECASE) is not None
    public = f"from {room.replace('._', '.')} import" in text
    return dotted in text or names_it or public or '"-m", "nodechannel"' in text
