"""Which pool started a process, by its command line."""

from __future__ import annotations

import pytest

from nodechannel._workers.bullmq import BullMQ
from nodechannel._workers.choosing import choose
from nodechannel._workers.protocols import JestWorker, TinyPool, WorkerFarm, WorkerPool


@pytest.mark.parametrize(
    ("word", "protocol"),
    [
        ("/a/node_modules/jest-worker/build/processChild.js", JestWorker),
        ("/a/node_modules/tinypool/dist/entry/process.js", TinyPool),
        ("/a/node_modules/worker-farm/lib/child/index.js", WorkerFarm),
        ("/a/node_modules/bullmq/dist/cjs/classes/main.js", BullMQ),
        ("/a/jest-worker/own.js", WorkerPool),
        ("--x", WorkerPool),
    ],
)
def test_the_file_of_the_package_tells(word, protocol):
    assert choose(["python", "a", word], None) is protocol
    assert choose([word], None) is WorkerPool, "the first word is the program itself"


def test_a_name_decides_before_the_command_line():
    assert choose(["python", "/node_modules/tinypool/process.js"], "worker-farm") is WorkerFarm
    with pytest.raises(ValueError, match="none of workerpool, jest-worker, tinypool, worker-farm, bullmq"):
        choose([], "piscina")
