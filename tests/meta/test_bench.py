"""The benchmarks run, and their costs grow linearly. No test here is timed against a clock."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from bench import compare, publish
from bench.plan import PAIRS, Scenario
from bench.results import Results
from bench.rounds import payload_file
from bench.running import Running
from support.cost import LIMIT, ratio
from support.node import ROOT, node

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="reads the kernel's clocks of other processes"
)

BENCH = ROOT / "node-interop"

ROUNDS = 12  # the first good round ends the test


def bench(*arguments: str) -> str:
    """Run the benchmarks as `make bench` does."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--offline", *arguments],
        env={**os.environ, "PYTHONPATH": str(BENCH), "NODE": node()},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(
    sys.platform != "linux", reason="reads the kernel's clocks of other processes, Linux only"
)
def test_it_runs(tmp_path):
    pairs = ["node-node", "node-aio", "py-node"]
    scenarios = ["oneway-64-up", "handles-socket"]
    printed = bench("--short", "--output", str(tmp_path), "--pairs", *pairs, "--only", *scenarios)
    results = json.loads((tmp_path / "results.json").read_text())
    measured = results["scenarios"]
    # Each name stands for all scenarios that begin with it, those of the serialization `advanced` among them.
    assert set(scenarios) <= set(measured)
    assert {frozenset(one["pairs"]) for one in measured.values()} == {frozenset(pairs)}
    assert not any(scenario["failed"] for scenario in measured.values())
    for scenario in measured.values():
        for pair in scenario["pairs"].values():
            assert pair["rate"] > 0
            assert min(pair["before"]) >= 0 < pair["peak"][0]
    assert measured["oneway-64-up"]["pairs"]["node-node"]["times"] == 1
    assert "| Python ↔ Node " in printed
    assert any(target["measure"].startswith("hand-overs of a socket") for target in results["targets"])


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start pairs; end them with the test."""
    # Up to 32 MiB glibc learns from a process which memory to give back, and getting it again costs as much as a message.
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", str(1 << 30))
    started = []

    def begin(name: str, scenario: Scenario) -> Running:
        pair = next(one for one in PAIRS if one.name == name)
        running = Running(pair, scenario, {"python": [sys.executable]}, payload_file(scenario, tmp_path))
        started.append(running)
        running.run(1)
        return running

    yield begin
    for running in started:
        running.kill()


def cost(running: Running, count: int) -> float:
    """Return the processor time of both ends."""
    return sum(running.run(count).cpu)


@pytest.mark.parametrize("kind", ["up", "down"])
@pytest.mark.parametrize("pair", ["py-py", "aio-aio"])
def test_twice_the_messages_cost_twice_as_much(pair, kind, start):
    running = start(pair, Scenario(kind, "64"))
    assert ratio(lambda: cost(running, 4000), lambda: cost(running, 8000), ROUNDS) <= LIMIT


@pytest.mark.parametrize("pair", ["py-py", "aio-aio"])
def test_messages_of_twice_the_size_cost_twice_as_much(pair, start):
    half, whole = (start(pair, Scenario("up", size)) for size in ("16m", "32m"))
    assert ratio(lambda: cost(half, 1), lambda: cost(whole, 1), ROUNDS) <= LIMIT


def test_what_is_shown_is_what_was_measured():
    readme = (ROOT / "README.md").read_text()
    results = Results.read(BENCH / "bench" / "published" / "results.json")
    assert publish.SECTION.findall(readme) == [publish.section(results)]


def test_a_revision_that_does_more_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "PASSES", 2)
    monkeypatch.setattr(compare, "MOST_PASSES", 2)
    package = tmp_path / "pyref" / "nodechannel"
    shutil.copytree(
        ROOT / "pyref" / "nodechannel", package, ignore=shutil.ignore_patterns("__pycache__", "*.json")
    )

    def row() -> compare.Row:
        found = compare.compare("send", ROOT, tmp_path)
        assert found is not None
        return found

    equal = row()
    assert equal.bytecodes
    assert equal.bytecodes[0] == equal.bytecodes[1] > 50
    assert min(equal.seconds) > 0
    steps = package / "_io" / "steps.py"
    line = "    outbox.direct = frames\n"
    assert line in steps.read_text()
    steps.write_text(steps.read_text().replace(line, f"    for _ in range(20): pass\n{line}"))
    slower = row()
    assert slower.bytecodes
    assert slower.bytecodes[1] >= slower.bytecodes[0] + 40
    assert slower.failed
    assert "FAILED" in str(slower)
