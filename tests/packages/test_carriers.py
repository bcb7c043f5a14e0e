"""The programs behind `make carrier-faults` and `make carrier-bench`, with few messages; and a primary of Redis that dies."""

from __future__ import annotations

import subprocess
import sys

import pytest

from carrierbench.__main__ import COUNTS, measure
from carrierfaults.faults import run
from nodechannel import redis
from support.node import ROOT
from support.redis import Failover


@pytest.mark.parametrize(
    ("kind", "messages", "pause"),
    [
        ("stream", 1000, 0.05),
        ("list", 1000, 0.4),
        ("rsmq", 300, 0.2),
        ("node-ipc", 600, 0.2),
        ("node-ipc-node", 600, 0.2),
    ],
)
@pytest.mark.rule("RDS-011", "RDS-012", "RDS-020", "RDS-022", "NIP-050")
def test_nothing_is_lost_while_everything_is_killed(kind, messages, pause):
    result = run(kind, messages, pause=pause, seed=3)
    assert result.lost == 0
    assert result.faults


@pytest.mark.rule("RDS-002", "RDS-003")
def test_a_primary_that_dies_takes_no_message_with_it(tmp_path):
    with (
        Failover(tmp_path) as pair,
        redis.stream(pair.url, "stream", replicas=1, claim_after=2.0) as stream,
        redis.queue(pair.url, "list", replicas=1) as queue,
    ):
        stream.send_many(range(100), timeout=60)
        for number in range(10):
            queue.send(number, timeout=60)
        pair.fail_over()
        stream.send(100, timeout=60)
        # The id of a message tells the copy of a lost answer.
        found = {stream.receive(timeout=60).data for _ in range(101)}
        assert found == set(range(101))
        assert [queue.receive(timeout=60).data for _ in range(10)] == list(range(10))


@pytest.mark.parametrize("carrier", COUNTS)
def test_each_carrier_has_a_speed(carrier):
    assert measure(carrier, "py", "node", 200) > 0
    assert measure(carrier, "node", "py", 200) > 0


def test_the_programs_have_help():
    for name in ("carrierbench", "carrierfaults"):
        run = subprocess.run(
            [sys.executable, "-m", name, "--help"],
            cwd=ROOT,
            env={"PYTHONPATH": "node-interop:tests:pyref:conformance"},
            check=False,
            capture_output=True,
            timeout=50,
            process_group=0,
        )
        assert run.returncode == 0, run.stderr
