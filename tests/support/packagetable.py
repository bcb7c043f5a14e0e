"""The table of npm packages in the README: the features that a run of the tests found to work with each version.

`python -m support.packagetable` runs the tests, keeps what they showed in `node-interop/packages/results.json`, and writes the table from
it. It fails, and writes nothing, when a test fails.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from support.node import ROOT
from support.packages import PINS, packages

if TYPE_CHECKING:
    from collections.abc import Iterable

README = ROOT / "README.md"
RESULTS = PINS / "results.json"
BEGIN, END = "<!-- written by make packages-table -->\n", "<!-- end of the table of packages -->\n"

# The properties of a test report: the rows to which the test belongs, and the serializations that it spoke.
SHOWN, SPOKEN = "package", "serializations"

# Set for the processes of a run that is recorded.
RECORDING = "NODECHANNEL_RECORD_PACKAGES"


class Row(NamedTuple):
    """The part of Python in a package, and the modules that it uses: the arguments of the mark `package`."""

    package: str
    python_is: str
    with_: str


class Collector:
    """Gathers the results of the tests from their reports.

    Attributes:
        found: the serializations that were seen on the wire, and the tests, for each row.
    """

    def __init__(self) -> None:
        self.found: dict[Row, tuple[set[str], set[str]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the report of a test."""
        properties: dict[str, Any] = dict(report.user_properties)
        if report.when != "teardown" or not report.passed or SHOWN not in properties:
            return
        for row in properties[SHOWN]:
            seen, tests = self.found.setdefault(Row(*row), (set(), set()))
            seen.update(properties[SPOKEN])
            tests.add(report.nodeid.partition("[")[0])

    def results(self) -> list[dict[str, Any]]:
        """Return the rows in the order of their names."""
        return [
            {
                "package": row.package,
                "version": installed_version(row.package),
                "python is": row.python_is,
                "with": row.with_,
                "serializations": sorted(seen, reverse=True),
                "tests": sorted(tests),
            }
            for row, (seen, tests) in sorted(self.found.items())
        ]


def installed_version(package: str) -> str:
    """Return the version of a package that the tests ran against."""
    manifest = packages() / "node_modules" / package / "package.json"
    return str(json.loads(manifest.read_text())["version"])


def render(results: Iterable[dict[str, Any]]) -> str:
    """Return the table."""
    lines = ["| package | version | Python is | with | serialization |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {row['package']} | {row['version']} | {row['python is']} | {row['with']} | {', '.join(row['serializations']) or '–'} |"
        for row in results
    ]
    return "\n".join(lines) + "\n"


def published() -> str:
    """Return the table that the README has now."""
    _, _, rest = README.read_text().partition(BEGIN)
    table, found, _ = rest.partition(END)
    assert found, f"README.md has no {END!r}"
    return table


def main() -> int:
    """Run the tests and write the table; return the exit status."""
    collector = Collector()
    os.environ[RECORDING] = "1"
    tests = ROOT / "tests" / "packages"
    status = pytest.main(["-q", str(tests), f"--ignore={tests / 'test_table.py'}"], plugins=[collector])
    if status == pytest.ExitCode.OK:
        results = collector.results()
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
        before, _, rest = README.read_text().partition(BEGIN)
        README.write_text(f"{before}{BEGIN}{render(results)}{END}{rest.partition(END)[2]}")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
