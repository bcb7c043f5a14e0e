"""The kit as a single file: only the standard library, cases inside, no trace left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / "conformance" / "mutants" / "peer.py"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("kit") / "channelkit.pyz"
    words = [sys.executable, str(ROOT / "conformance" / "archive.py"), str(target)]
    subprocess.run(words, check=True, timeout=55, process_group=0)
    return target


def run(archive: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(archive), *words],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
        process_group=0,
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["explain", "FRM-003"], "FRM-003: A sender MUST end every message"),
        (["list", "-k", "frm-one"], "frm-one"),
        (["runtimes"], "node@20"),
        (["init-adapter", "bash"], "channelkit run --child"),
        (["run", "--parent", f"{sys.executable} -I -S {PEER}", "-k", "frm-one"], "parent: conformant"),
        (["run", "--child", f"{sys.executable} -I -S {PEER} echo", "-k", "jsn-top"], "child: conformant"),
    ],
)
def test_it_works_alone(archive: Path, tmp_path: Path, words: list[str], expected: str) -> None:
    done = run(archive, tmp_path, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert expected in done.stdout.replace(" (peer 1)", "")
    assert [one.name for one in tmp_path.iterdir()] in ([], ["echo.sh"])
