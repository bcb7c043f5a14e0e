"""Runs the kit against the miniature subjects."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from channelkit.catalogue.loading import load_file
from channelkit.judge.execute import CaseResult, execute
from channelkit.judge.subjects import Description
from channelkit.limits import Limits

if TYPE_CHECKING:
    from channelkit.catalogue.cases import Case

HERE = Path(__file__).resolve().parents[1] / "kit"
SAMPLE = HERE / "sample.json"
CASES = {case.id: case for case in load_file(SAMPLE)}


def command(name: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(HERE / "miniatures" / f"{name}.py"), *words)


def judge(name: str, case: str | Case, *words: str, rung: int = 0, scale: float = 1.0) -> CaseResult:
    """Runs a case against a miniature."""
    subject = Description(name, "child", rung, command(name, *words), f"--child {name}")
    wanted = CASES[case] if isinstance(case, str) else case
    return execute(wanted, subject, Limits(scale), threading.Event())
