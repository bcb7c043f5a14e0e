"""The measured data belong to the program that measures, and a run of it on the Node at hand finds the same."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from channelkit.runtimes.pinned import named
from support.node import ROOT, node

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = json.loads((ROOT / "spec" / "measured.json").read_text("utf-8"))
ROWS = {row["id"]: row for row in DATA["rows"]}
VIOLATIONS = json.loads((ROOT / "spec" / "violations.json").read_text("utf-8"))

# Rows of each area that need no time to show an absence.
SAMPLE = [
    "clu-first",
    "clu-members",
    "clu-key",
    "clu-exitedafterdisconnect",
    "boo-variables-removed",
    "boo-second-entry",
    "frm-blank",
    "frm-blank-parent",
    "frm-invalid",
    "frm-split",
    "jsn-beyond-double",
    "jsn-send-tojson",
    "jsn-send-buffer",
    "cls-prefix-alone",
    "hnd-net-socket-tcp",
    "hnd-no-descriptor",
    "hnd-double",
    "hnd-send-socket",
    "hnd-refusals",
    "hnd-stray-ack",
    "sls-count",
    "sls-notify-then",
    "lif-half-closes",
    "lif-disconnect-unanswered",
]


@pytest.fixture(scope="module")
def program() -> Iterator[dict[str, Any]]:
    """The modules of the measuring program."""
    folder = str(ROOT / "node-interop" / "measure")
    sys.path.insert(0, folder)
    names = ("fetch", "probe", "observations")
    try:
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(folder)
        for name in names:
            sys.modules.pop(name, None)


def test_rows_are_those_of_the_program(program: dict[str, Any]) -> None:
    rows = [(one.id, one.area, one.question) for one in program["observations"].ALL]
    assert rows == [(row["id"], row["area"], row["question"]) for row in DATA["rows"]]
    assert len(ROWS) == len(DATA["rows"])
    assert all(row["id"].startswith(row["area"].lower() + "-") for row in DATA["rows"])


def test_columns_are_the_pinned_runtimes(program: dict[str, Any]) -> None:
    columns = program["fetch"].COLUMNS
    measured = list(DATA["runtimes"])
    assert measured == list(columns)
    for head, name in columns.items():
        assert named(name).version in (DATA["runtimes"][head], "")  # some platforms have no pinned runtime
    assert all(list(row["cells"]) == measured and all(row["cells"].values()) for row in DATA["rows"])


def test_violations_name_rows_and_rules() -> None:
    rules = json.loads((ROOT / "spec" / "requirements.json").read_text("utf-8"))["rules"]
    for entry in VIOLATIONS:
        assert entry["measured"] in ROWS
        assert entry["sender"]
        assert entry["receiver"]
        assert set(entry["sender"]) | set(entry["receiver"]) <= set(rules), entry["violation"]


@pytest.mark.parametrize("id_", SAMPLE)
def test_a_run_finds_what_the_table_says(program: dict[str, Any], id_: str) -> None:
    version = subprocess.run([node(), "--version"], capture_output=True, text=True, check=True).stdout
    column = f"Node {version.removeprefix('v').split('.')[0]}"
    if column not in DATA["runtimes"]:
        pytest.skip(f"{column} was not measured")
    runtime = program["fetch"].Runtime(column, version.strip(), (node(),))
    observation = next(one for one in program["observations"].ALL if one.id == id_)
    assert observation.measure(partial(program["probe"].Peer, runtime)) == ROWS[id_]["cells"][column]
