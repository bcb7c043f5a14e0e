"""The committed matrix is compared with a run, as far as the run goes."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from channelkit.cli.main import main
from channelkit.runtimes.pinned import runtimes
from support.kit import SAMPLE, command

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def run(folder: Path, child: str) -> Path:
    """Runs the sample; the result stands in for an implementation named ``mine``."""
    main(
        [
            "run",
            "--child",
            shlex.join(command(child)),
            "--cases",
            str(SAMPLE),
            "--time-scale",
            "0.3",
            "--report",
            str(folder),
        ]
    )
    path = folder / "results.json"
    path.write_text(
        path.read_text("utf-8")
        .replace('"name": "child"', '"name": "mine-child"')
        .replace('"subject": "child"', '"subject": "mine-child"'),
        "utf-8",
    )
    return path


MATRIX = """# Conformance

## Rules

| rule | other | mine |
| --- | --- | --- |
| FRM-001 | **no** | ok |
| FRM-002 | ok | len |

## Cases

| case | level | other | mine |
| --- | --- | --- | --- |
| sample-echo | MUST | **no** | ok |
| sample-blank | SHOULD | ok | len |

## Deviations
"""


def check(committed: Path, results: Path) -> int:
    return main(["matrix", "--check", str(committed), "--of", str(results)])


def test_no_difference_is_0_and_others_do_not_count(tmp_path: Path) -> None:
    committed = tmp_path / "MATRIX.md"
    committed.write_text(MATRIX, "utf-8")
    assert check(committed, run(tmp_path, "right")) == 0


def test_every_difference_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    committed = tmp_path / "MATRIX.md"
    committed.write_text(MATRIX.replace("| FRM-002 | ok | len |\n", ""), "utf-8")  # not known yet
    results = run(tmp_path, "wrong_echo")
    capsys.readouterr()
    assert check(committed, results) == 1
    assert capsys.readouterr().out.splitlines()[:-1] == [
        "FRM-001, mine: ok in MATRIX.md, **NO** now",
        "sample-echo, mine: ok in MATRIX.md, **NO** now",
    ]


def test_a_case_that_is_not_known_yet_changes_nothing(tmp_path: Path) -> None:
    committed = tmp_path / "MATRIX.md"
    committed.write_text(MATRIX.replace("| sample-echo | MUST | **no** | ok |\n", ""), "utf-8")
    assert check(committed, run(tmp_path, "wrong_echo")) == 0


def test_a_node_is_compared_with_the_pinned_one_of_its_version(tmp_path: Path) -> None:
    pinned = next(one for one in runtimes() if one.name == "node@20")
    committed = tmp_path / "MATRIX.md"
    committed.write_text(MATRIX.replace("mine", "node@20"), "utf-8")
    results = run(tmp_path, "right")
    content = json.loads(results.read_text("utf-8").replace("mine-child", "node-child"))
    for version, status in ((pinned.version, 0), ("20.0.0", 2)):
        content["subjects"][0]["implementation"] = {"name": "node", "version": version}
        results.write_text(json.dumps(content), "utf-8")
        assert check(committed, results) == status


def test_wrong_use(tmp_path: Path) -> None:
    assert main(["matrix", "--of", str(tmp_path / "results.json")]) == 2
    assert check(tmp_path / "no.md", tmp_path / "no.json") == 2
