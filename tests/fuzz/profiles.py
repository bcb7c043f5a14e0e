"""The two ways to search. Every setting is named: Hypothesis changes its defaults when it sees the variables of a CI machine."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.database import DirectoryBasedExampleDatabase

ROOT = Path(__file__).resolve().parents[2]
DATABASE = ROOT / ".hypothesis" / "explore"


def pr(examples: int) -> settings:
    """Settings of the deterministic search: the same examples each time, on purpose, so that no change is blamed for an old bug."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        print_blob=True,
        verbosity=Verbosity.normal,
        report_multiple_bugs=False,
        stateful_step_count=50,
        suppress_health_check=list(HealthCheck),
        backend="hypothesis",
    )


def explore(examples: int, database: Path = DATABASE) -> settings:
    """Settings of the search for new findings: random, and examples that failed once are tried first."""
    return settings(
        max_examples=examples,
        derandomize=False,
        database=DirectoryBasedExampleDatabase(database),
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
        print_blob=True,
        verbosity=Verbosity.normal,
        report_multiple_bugs=False,
        stateful_step_count=60,
        suppress_health_check=list(HealthCheck),
        backend="hypothesis",
    )
