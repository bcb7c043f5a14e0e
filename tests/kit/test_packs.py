"""The packs for the authors of runtimes: each program is short, stands alone and shows its deviation."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from channelkit.cli import pack
from channelkit.cli.main import main
from channelkit.runtimes.pinned import Runtime, named, runtimes

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 20
_DRIVER = "node@20"


def _subject(one: pack.Pack, family: str) -> Runtime | None:
    """The newest fetched runtime of a family whose known lists have a reason of the pack."""
    releases = {
        release
        for reason in one.reasons
        if (family, reason) in pack.deviations()
        for release in pack.deviations()[family, reason].releases
    }
    fitting = [
        runtime
        for runtime in runtimes()
        if runtime.is_there and f"{runtime.name.partition('@')[0]} {runtime.version}" in releases
    ]
    return fitting[-1] if fitting else None


def _run(one: pack.Pack, subject: Runtime, scratch: Path) -> subprocess.CompletedProcess[str]:
    driver = named(_DRIVER)
    if not driver.is_there:
        pytest.skip(f"{_DRIVER} is not fetched: channelkit runtimes fetch {_DRIVER}")
    words = ("run", "-A") if subject.name == "deno" else ()
    command = (str(driver.path), str(one.script), str(subject.path), *words)
    env = {**os.environ, "TMPDIR": str(scratch)}
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, env=env)


@pytest.mark.parametrize(
    ("one", "family"),
    [pytest.param(one, family, id=f"{family}-{one.name}") for one in pack.packs() for family in one.families],
)
def test_the_program_shows_its_deviation(one: pack.Pack, family: str, tmp_path: Path) -> None:
    subject = _subject(one, family)
    if subject is None:
        pytest.skip(f"no {family} with this deviation is fetched")
    done = _run(one, subject, tmp_path)
    assert done.stdout.startswith("DEVIATES"), done.stdout + done.stderr
    assert done.returncode == 1


def test_a_runtime_without_the_deviation_conforms(tmp_path: Path) -> None:
    deno = named("deno")
    if not deno.is_there:
        pytest.skip("deno is not fetched: channelkit runtimes fetch deno")
    one = next(one for one in pack.packs() if one.name == "half-line-newest")
    done = _run(one, deno, tmp_path)
    assert done.stdout.startswith("CONFORMS"), done.stdout + done.stderr


@pytest.mark.parametrize(
    "one", [one for one in pack.packs() if "node" not in one.families], ids=lambda one: one.name
)
def test_what_node_does_not_have_conforms_on_node(one: pack.Pack, tmp_path: Path) -> None:
    node = named("node@24")
    if not node.is_there:
        pytest.skip("node@24 is not fetched: channelkit runtimes fetch node@24")
    done = _run(one, node, tmp_path)
    assert done.stdout.startswith("CONFORMS"), done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("one", pack.packs(), ids=lambda one: one.name)
def test_the_program_is_short_and_stands_alone(one: pack.Pack) -> None:
    text = one.script.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= _LONGEST
    assert "channelkit" not in text
    assert "nodechannel" not in text


@pytest.mark.parametrize("one", pack.packs(), ids=lambda one: one.name)
def test_the_reasons_are_those_of_the_known_lists(one: pack.Pack) -> None:
    found = pack.deviations()
    for family in one.families:
        assert any((family, reason) in found for reason in one.reasons)
    for reason in one.reasons:
        assert any((family, reason) in found for family in one.families)


def test_each_deviation_has_a_program_or_a_cause() -> None:
    shown = {(family, reason) for one in pack.packs() for family in one.families for reason in one.reasons}
    assert set(pack.deviations()) - shown == set(pack.without())


def test_a_folder_has_all_that_a_report_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", str(tmp_path / "packs"), "--runtime", "node"]) == 0
    folder = tmp_path / "packs" / "node-variables-twice"
    assert (folder / pack.REPRODUCTION).is_file()
    text = (folder / "README.md").read_text(encoding="utf-8")
    for part in ("BOO-013", "node 20.20.2", "DEVIATES", "## Bytes"):
        assert part in text
    assert "no reproduction: node: one descriptor is taken from each read (two " in capsys.readouterr().out
    assert main(["pack", str(tmp_path / "packs")]) == 2
    assert "name a new directory" in capsys.readouterr().err
