"""How a run can be narrowed and looked at: profiles, a debugger, more time."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from channelkit.catalogue.loading import shipped
from channelkit.cli.main import main
from channelkit.judge.profiles import PROFILES
from channelkit.judge.subjects import Description
from channelkit.process.spawn import environment
from support.kit import SAMPLE, command

CASES = shipped()


def subject(role: str, rung: int) -> Description:
    return Description(f"{role}-{rung}", role, rung, ("true",), "")


def test_each_profile_includes_the_one_above_it() -> None:
    sizes = {
        name: {case.id for case in CASES if profile.includes(case)} for name, profile in PROFILES.items()
    }
    assert sizes["echo-child"] < sizes["child"] < sizes["child-with-handles"]
    assert sizes["parent"] < sizes["parent-with-handles"]
    assert set.union(*sizes.values()) == {case.id for case in CASES}


def test_a_profile_leaves_out_whom_it_does_not_concern() -> None:
    all_of_them = [subject("child", 0), subject("child", 2), subject("parent", 3)]
    chosen = {
        name: [one.name for one in profile.select(CASES, all_of_them)[1]]
        for name, profile in PROFILES.items()
    }
    assert chosen["echo-child"] == ["child-0", "child-2"]
    assert chosen["child"] == chosen["child-with-handles"] == ["child-2"]
    assert chosen["parent"] == chosen["parent-with-handles"] == ["parent-3"]


def test_a_profile_says_how_a_child_is_driven(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--cases", str(SAMPLE), "-k", "sample-echo", "--child"]
    assert main([*words, shlex.join(command("driven")), "--profile", "child-with-handles"]) == 0
    assert "child (driven 1): conformant: 1 pass" in capsys.readouterr().out
    assert main([*words, shlex.join(command("right")), "--profile", "parent"]) == 2


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at a process in /proc")
def test_a_subject_waits_for_a_debugger() -> None:
    words = [sys.executable, "-m", "channelkit", "run", "--cases", str(SAMPLE), "-k", "sample-echo:whole"]
    words += ["--attach", "--child", shlex.join(command("right"))]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as kit:
        assert kit.stdout is not None
        line = next(line for line in kit.stdout if "attach: process" in line)
        found = re.search(r"process (\d+) is stopped", line)
        assert found is not None
        assert _becomes(Path("/proc") / found[1] / "stat", "T")
        printed, _ = kit.communicate("\n", timeout=60)
    assert kit.returncode == 0
    assert "child: conformant: 1 pass" in printed


def _becomes(stat: Path, state: str) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if stat.read_text("utf-8").rpartition(")")[2].split()[0] == state:
            return True
        time.sleep(0.005)
    return False


def test_the_time_scale_is_the_patience(capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "run",
        "--cases",
        str(SAMPLE),
        "-k",
        "sample-echo:whole",
        "--child",
        shlex.join(command("silent")),
    ]
    taken = []
    for scale in ("0.05", "0.5"):
        started = time.monotonic()
        assert main([*words, "--time-scale", scale]) == 1
        taken.append(time.monotonic() - started)
    assert taken[1] - taken[0] > 1
    assert capsys.readouterr().out.count("NOT JUDGED") == 2


def test_a_subject_finds_no_certificates_that_would_only_slow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", "/etc/ssl/certs/ca-certificates.crt")
    monkeypatch.setenv("NODE_OPTIONS", "--no-warnings")
    found = environment({"NODE_CHANNEL_FD": "3"})
    assert "NODE_EXTRA_CA_CERTS" not in found
    assert (found["NODE_OPTIONS"], found["NODE_CHANNEL_FD"]) == ("--no-warnings", "3")
