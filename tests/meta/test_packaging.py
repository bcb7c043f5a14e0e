"""The wheel: both packages, the two commands, and all the data that the kit needs away from its checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from support.node import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=55,
        process_group=0,
    )
    (path,) = folder.glob("*.whl")
    return path


def test_everything_travels_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {
        f"channelkit/data/{place}/{path.relative_to(ROOT / folder)}"
        for folder, place in {
            "conformance/cases": "cases",
            "conformance/adapters": "adapters",
            "conformance/subjects": "subjects",
            "conformance/known": "known",
            "schemas": "schemas",
        }.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    sources = {
        f"{package}/{path.relative_to(ROOT / folder / package)}"
        for folder, package in {"pyref": "nodechannel", "conformance": "channelkit"}.items()
        for path in (ROOT / folder / package).rglob("*.py")
    }
    others = {
        "channelkit/data/requirements.json",
        "channelkit/data/node-interop/adapter.cjs",
        "nodechannel/py.typed",
        "channelkit/py.typed",
    }
    assert not (data | sources | others) - names


def test_the_kit_runs_from_the_wheel_alone(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    for arguments, expected in (
        (["explain", "FRM-003"], "FRM-003"),
        (["run", "--child", "bash {echo}", "-k", "frm"], "conformant"),
    ):
        echo = tmp_path / "site" / "channelkit" / "data" / "adapters" / "bash" / "echo.sh"
        result = subprocess.run(
            [
                sys.executable,
                "-S",
                "-m",
                "channelkit",
                *(argument.format(echo=echo) for argument in arguments),
            ],
            env={"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=55,
            process_group=0,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert expected in result.stdout
