"""All results of a run, and their form as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bench.imports import Import
from bench.summary import Row
from bench.targets import Verdict, verdicts

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Measured:
    """A scenario.

    Attributes:
        pairs: the row of each pair.
        failed: the reasons of the pairs that could not do it.
    """

    pairs: dict[str, Row]
    failed: dict[str, str]


@dataclass
class Results:
    """A run.

    Attributes:
        machine: the circumstances that the numbers depend on.
        runtimes: versions.
        absent: runtimes that were not there, and why.
        effort: how much was measured.
        scenarios: the results, by the name of the scenario.
        imports: the time that starting an interpreter takes.
    """

    machine: dict[str, Any]
    runtimes: dict[str, str]
    absent: dict[str, str]
    effort: dict[str, Any]
    scenarios: dict[str, Measured] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)

    @property
    def verdicts(self) -> list[Verdict]:
        """The verdicts on all targets that were measured."""
        return verdicts({name: one.pairs for name, one in self.scenarios.items()}, self.imports)

    def write(self, path: Path, *, passes: bool) -> None:
        """Write it as JSON, with the time of each pass or without."""
        content = asdict(self) | {"targets": [asdict(one) for one in self.verdicts]}
        for scenario in content["scenarios"].values():
            for row in scenario["pairs"].values():
                if not passes:
                    del row["seconds"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_rounded(content), ensure_ascii=False, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Return the results that `write` wrote."""
        content = json.loads(path.read_text())
        del content["targets"]
        content["imports"] = {name: Import(**one) for name, one in content["imports"].items()}
        content["scenarios"] = {
            name: Measured({pair: Row(**row) for pair, row in one["pairs"].items()}, one["failed"])
            for name, one in content["scenarios"].items()
        }
        return cls(**content)


def _rounded(value: Any) -> Any:
    """Cut floats to the figures that can mean anything."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
