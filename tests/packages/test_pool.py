"""`workers.Pool` over the real Node workers of workerpool and jest-worker, blocking and asyncio."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time

import pytest

import nodechannel
from nodechannel import workers
from nodechannel.workers import asyncio as aio_workers
from support.node import node

WORKERPOOL = """
    const workerpool = require('workerpool');
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    workerpool.worker({
      add: (a, b) => a + b,
      pid: () => process.pid,
      fail: (text) => { throw new RangeError(text); },
      async events(n) { for (let i = 0; i < n; i += 1) workerpool.workerEmit({ i }); return 'done'; },
      sleep: (ms) => sleep(ms).then(() => 'slept'),
      forever: () => { for (;;) ; },
      async patient() {
        this.worker.addAbortListener(async () => { });
        await sleep(60000);
      },
      die: () => process.exit(7),
    });
"""
JEST = """
    let given;
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    module.exports = {
      setup: (...args) => { given = args; },
      args: () => given,
      add: (a, b) => a + b,
      pid: () => process.pid,
      fail: (text) => { throw new RangeError(text); },
      async events(n) { for (let i = 0; i < n; i += 1) process.send([3, { i }]); return 'done'; },
      sleep: (ms) => sleep(ms).then(() => 'slept'),
      forever: () => { for (;;) ; },
      die: () => process.exit(7),
    };
"""


class Awaited:
    """The asyncio pool with blocking words."""

    def __init__(self, *args, **options):
        self.loop = asyncio.new_event_loop()

        async def make():
            return aio_workers.Pool(*args, **options)

        self.pool = self.loop.run_until_complete(make())

    def call(self, *args, **options):
        return self.loop.run_until_complete(self.pool.call(*args, **options))

    def methods(self):
        return self.loop.run_until_complete(self.pool.methods())

    @property
    def size(self):
        return self.pool.size

    def close(self):
        self.loop.run_until_complete(self.pool.close())
        self.loop.close()


def of_package(kind):
    return pytest.param(kind, marks=pytest.mark.package(kind, "pool", "`nodechannel.workers.Pool`"))


@pytest.fixture(params=[of_package("workerpool"), of_package("jest-worker")])
def kind(request):
    return request.param


@pytest.fixture(params=[workers.Pool, Awaited], ids=["blocking", "asyncio"])
def make(request, packages, script, kind):
    """Make a pool over a worker of the package."""
    pools = []

    def start(**options):
        program = script("worker.cjs", WORKERPOOL if kind == "workerpool" else JEST)
        modules = program.parent / "node_modules"
        if not modules.exists():
            modules.symlink_to(packages / "node_modules")
        pool = request.param(program, kind=kind, exec_path=node(), **{"workers": 1, **options})
        pools.append(pool)
        return pool

    yield start
    for pool in pools:
        pool.close()


def test_calls_results_events_and_errors(make, kind):
    pool = make(setup_args=["x", 1])
    assert pool.call("add", 2, 3) == 5
    seen: list[object] = []
    assert pool.call("events", 3, on_event=seen.append) == "done"
    assert seen == [{"i": 0}, {"i": 1}, {"i": 2}]
    with pytest.raises(workers.RemoteException, match="odd") as caught:
        pool.call("fail", "odd")
    assert (caught.value.name, caught.value.message) == ("RangeError", "odd")
    assert "worker.cjs" in caught.value.stack
    with pytest.raises(workers.RemoteException):
        pool.call("missing")
    with pytest.raises(nodechannel.InvalidMessage):
        pool.call("add", {1}, 2)
    assert pool.call("add", 1, 1) == 2
    assert pool.size == 1
    if kind == "workerpool":
        names = ["add", "pid", "fail", "events", "sleep", "forever", "patient", "die"]
        assert [name for name in pool.methods() if name in names] == names
    else:
        assert pool.call("args") == ["x", 1]


def test_a_dead_worker_is_reported_and_replaced(make):
    pool = make()
    first = pool.call("pid")
    with pytest.raises(workers.WorkerDied) as caught:
        pool.call("die")
    assert caught.value.status == 7
    assert pool.call("pid") != first
    assert pool.size == 1


@pytest.mark.parametrize("method", ["sleep", "forever"])
def test_a_call_that_takes_too_long_is_given_up(make, method):
    pool = make()
    first = pool.call("pid")
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        pool.call(method, 60_000, timeout=0.3)
    assert time.monotonic() - begun < 20
    assert pool.call("pid") != first


@pytest.mark.parametrize("kind", [of_package("workerpool")])  # jest-worker has no abort listeners
def test_a_worker_that_cleans_up_is_kept(make):
    pool = make()
    first = pool.call("pid")
    with pytest.raises(TimeoutError):
        pool.call("patient", timeout=0.3)
    assert pool.call("pid") == first


def test_a_closed_pool_refuses_calls(make):
    pool = make()
    assert pool.call("add", 1, 1) == 2
    if isinstance(pool, Awaited):  # whose loop stays open for the next call
        pool.loop.run_until_complete(pool.pool.close())
    else:
        pool.close()
    with pytest.raises(workers.PoolClosed):
        pool.call("add", 1, 1)


def test_many_calls_share_the_workers(packages, script):
    program = script("worker.cjs", WORKERPOOL)
    (program.parent / "node_modules").symlink_to(packages / "node_modules")
    with workers.Pool(program, workers=2, exec_path=node()) as pool:
        futures = [pool.submit("add", n, 1) for n in range(200)]
        assert [future.result(timeout=40) for future in futures] == list(range(1, 201))
        assert pool.size == 2
        slow = pool.submit("sleep", 60_000)
        slow.cancel()
        with pytest.raises(concurrent.futures.CancelledError):
            slow.result(timeout=20)
        assert pool.call("add", 2, 2, timeout=20) == 4


def test_what_is_missing_is_named(script):
    with pytest.raises(ValueError, match="kind='piscina' is none of workerpool, jest-worker"):
        workers.Pool("x.js", kind="piscina")
    program = script("worker.cjs", JEST)
    with (
        workers.Pool(program, kind="jest-worker") as pool,
        pytest.raises(workers.ModuleNotFound, match="npm install jest-worker"),
    ):
        pool.call("add", 1, 1)
    crash = script("crash.cjs", "process.exit(9)")
    with workers.Pool(crash, exec_path=node()) as pool, pytest.raises(workers.WorkerDied, match="with 9"):
        pool.call("add", 1, 1)
