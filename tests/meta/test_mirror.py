"""`tests/unit` mirrors the reference: each module with code of its own has a file of tests, and each file has its module."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from support.node import ROOT

PYREF = ROOT / "pyref" / "nodechannel"
UNIT = ROOT / "tests" / "unit"

# Modules that only Windows can import, each with the file of tests that Windows runs, as a path below `tests`.
WINDOWS = {
    "_transport/pipechild.py": "windows/test_parent.py",
    "_transport/pipelink.py": "windows/test_channel.py",
    "_transport/pipeboot.py": "windows/test_channel.py",
}


def modules() -> list[str]:
    """Return the modules of the reference with code of their own, as paths below its folder."""
    found = [path for path in PYREF.rglob("*.py") if path.name != "__init__.py"]
    return sorted(path.relative_to(PYREF).as_posix() for path in found if not _only_passes_on(path))


def _only_passes_on(path: Path) -> bool:
    """Tell whether a module only passes on names of further modules."""
    body = ast.parse(path.read_text("utf-8")).body
    own = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return not any(isinstance(node, own) for node in body) and "_facade.publish(" in path.read_text("utf-8")


def home_of(module: str) -> str:
    """Return the file of tests that holds a module: the same path without the underscores of private rooms."""
    *rooms, name = Path(module).with_suffix("").parts
    return "/".join(["unit", *(room.lstrip("_") for room in rooms), f"test_{name.strip('_')}.py"])


def mirrored() -> list[str]:
    """Return the modules that have a file of their own among the unit tests."""
    return [module for module in modules() if module not in WINDOWS]


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


def test_a_module_of_windows_says_so_and_is_tested_there():
    for module, file in WINDOWS.items():
        assert 'assert sys.platform == "win32"' in (PYREF / module).read_text("utf-8")
        assert (ROOT / "tests" / file).exists()
    assert [
        module for module in mirrored() if "assert sys.platform" in (PYREF / module).read_text("utf-8")
    ] == []


def test_each_file_of_tests_uses_its_module():
    """A file under the right name that tests another module would hold no code."""
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
    front_end = room.partition("._")[2]
    public = re.search(
        rf"^from nodechannel(\.{front_end} import| import .*\b{front_end}\b)", text, re.MULTILINE
    )
    return dotted in text or names_it or public is not None or '"-m", "nodechannel"' in text
