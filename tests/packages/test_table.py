"""The table of packages in the README."""

from __future__ import annotations

import json

from support import packagetable
from support.node import ROOT
from support.packages import PINS


def test_it_is_the_one_that_a_run_would_write():
    assert packagetable.published() == packagetable.render(), "run `make packages-table`"


def test_each_row_names_a_file_of_tests():
    for row in packagetable.ROWS:
        assert (ROOT / "tests" / row.tests).exists(), row


def test_versions_are_exact_and_the_lock_names_no_address():
    pins = json.loads((PINS / "package.json").read_text())["dependencies"]
    lock = json.loads((PINS / "package-lock.json").read_text())
    for name, version in pins.items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version.rpartition("@")[2]
    assert not [path for path, entry in lock["packages"].items() if "resolved" in entry]
    assert all("integrity" in entry for path, entry in lock["packages"].items() if path)
