"""The two distributions: the reference has no part of the kit, the kit has all its data, and both install into the same environment."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from support.node import ROOT

KIT = ROOT / "conformance"
DATA = {
    KIT / "cases": "cases",
    KIT / "adapters": "adapters",
    KIT / "subjects": "subjects",
    KIT / "known": "known",
    ROOT / "schemas": "schemas",
}


def run(*words: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        words,
        cwd=cwd,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=55,
        process_group=0,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(project: Path, kind: str, folder: Path) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder), cwd=project)
    (path,) = folder.iterdir()
    return path


def files(folder: Path, pattern: str = "*") -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        "nodechannel": build(ROOT, "wheel", tmp_path_factory.mktemp("reference")),
        "channelkit": build(KIT, "wheel", tmp_path_factory.mktemp("kit")),
    }


def names(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_each_wheel_has_its_package_alone(wheels: dict[str, Path]) -> None:
    for package, folder in {"nodechannel": ROOT / "pyref", "channelkit": KIT}.items():
        found = names(wheels[package])
        assert {name.partition("/")[0] for name in found} == {package}
        assert found >= {f"{package}/{name}" for name in files(folder / package, "*.py")} | {
            f"{package}/py.typed"
        }


def test_wheels_are_pure_unless_the_user_compiles(wheels: dict[str, Path]) -> None:
    """`make compiled` builds the other wheel and runs the tests of the codec on it."""
    assert all(wheel.name.endswith("-py3-none-any.whl") for wheel in wheels.values())
    assert not {Path(name).suffix for name in names(wheels["nodechannel"])} & {".pxd", ".so", ".c"}


def test_all_data_travels_in_the_wheel_of_the_kit(wheels: dict[str, Path]) -> None:
    wanted = {f"{place}/{name}" for folder, place in DATA.items() for name in files(folder)}
    wanted |= {"requirements.json", "runtimes.json", "node-interop/adapter.cjs"}
    assert names(wheels["channelkit"]) >= {f"channelkit/data/{name}" for name in wanted}


def test_the_kit_depends_on_nothing(wheels: dict[str, Path]) -> None:
    archive = zipfile.ZipFile(wheels["channelkit"])
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    text = archive.read(metadata).decode()
    assert "Requires-Dist" not in text
    assert "License-File: LICENSE" in text


def test_a_source_distribution_makes_the_same_wheel(wheels: dict[str, Path], tmp_path: Path) -> None:
    source = build(KIT, "sdist", tmp_path / "sdist")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (project,) = (tmp_path / "source").iterdir()
    assert names(build(project, "wheel", tmp_path / "wheel")) == names(wheels["channelkit"])


def pip(programs: Path) -> tuple[str, ...]:
    """The words that let this interpreter's pip work in another environment."""
    return (sys.executable, "-m", "pip", "--python", str(programs / "python"))


@pytest.fixture(scope="module")
def site(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with both distributions; returns its folder of programs."""
    folder = tmp_path_factory.mktemp("site")
    run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    for wheel in wheels.values():
        run(*pip(folder / "bin"), "install", "--quiet", "--no-deps", "--no-index", "--no-compile", str(wheel))
    return folder / "bin"


def test_the_installed_kit_judges_an_echo_child(site: Path) -> None:
    assert run(str(site / "channelkit"), "explain", "FRM-003").startswith("FRM-003: A sender MUST")
    run(str(site / "channelkit"), "init-adapter", "bash", cwd=site)
    shown = run(str(site / "channelkit"), "run", "--child", "bash echo.sh", "-k", "cls-u*", cwd=site)
    assert "child: conformant" in shown


def test_either_is_removed_without_the_other(site: Path) -> None:
    run(*pip(site), "uninstall", "--quiet", "--yes", "nodechannel")
    assert run(str(site / "channelkit"), "--version").strip()
    run(str(site / "python"), "-c", "import importlib.util as u; assert u.find_spec('nodechannel') is None")
