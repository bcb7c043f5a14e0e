"""The measured data belong to the program that measures, and a run of it on the Node at hand finds the same."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from functools import partial

import pytest

import measure.chapters  # noqa: F401 (registers the rows)
from channelkit.runtimes.pinned import named
from measure.peer import Peer
from measure.runtimes import COLUMNS, Runtime
from measure.table import ALL
from support.node import ROOT, node

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


def test_rows_are_those_of_the_program() -> None:
    rows = [(one.id, one.area, one.question) for one in ALL]
    assert rows == [(row["id"], row["area"], row["question"]) for row in DATA["rows"]]
    assert len(ROWS) == len(DATA["rows"])
    assert all(row["id"].startswith(row["area"].lower() + "-") for row in DATA["rows"])


def test_columns_are_the_pinned_runtimes() -> None:
    columns = COLUMNS
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
def test_a_run_finds_what_the_table_says(id_: str) -> None:
    version = subprocess.run([node(), "--version"], capture_output=True, text=True, check=True).stdout
    column = f"Node {version.removeprefix('v').split('.')[0]}"
    if column not in DATA["runtimes"]:
        pytest.skip(f"{column} was not measured")
    runtime = Runtime(column, version.strip(), (node(),))
    observation = next(one for one in ALL if one.id == id_)
    assert observation.measure(partial(Peer, runtime)) == ROWS[id_]["cells"][column]


def test_the_kernel_ends_a_read_behind_the_bytes_that_brought_descriptors() -> None:
    """The statement of chapter 50 about Linux: plain bytes before a descriptor come with it, bytes of a later write do not."""
    one, two = socket.socketpair()
    with one, two, socket.socket() as sent:
        one.sendall(b"before ")
        socket.send_fds(one, [b"with "], [sent.fileno()])
        one.sendall(b"behind")
        data, fds, _, _ = socket.recv_fds(two, 100, 2)
        for number in fds:
            os.close(number)
        assert (data, len(fds)) == (b"before with ", 1)
        assert two.recv(100) == b"behind"
