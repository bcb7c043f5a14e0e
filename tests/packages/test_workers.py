"""Python workers of the real pools: workerpool, jest-worker, tinypool and worker-farm."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time

import pytest

import nodechannel
from nodechannel import workers
from nodechannel._workers.choosing import choose

WORKER = """
    import asyncio, os, pathlib, sys, threading, time
    from nodechannel import workers

    here = pathlib.Path(__file__).parent
    started_with = None

    def setup(*args):
        global started_with
        started_with = args
        if "fail" in args:
            raise RuntimeError("no set-up today")

    def teardown():
        (here / f"torn-down-{os.getpid()}").touch()

    def add(a, b):
        return a + b

    async def wait(seconds):
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            (here / "cancelled").touch()
            raise
        return "waited"

    def sleep(seconds):
        time.sleep(seconds)
        return "slept"

    def fail(text):
        raise ValueError(text)

    def count(n):
        for number in range(n):
            yield number
        return "counted"

    async def acount(n):
        for number in range(n):
            yield number

    def unsendable():
        return object()

    def opaque(task):
        return object()

    arrived = []
    together = asyncio.Event()

    async def meet(n):
        arrived.append(n)
        if len(arrived) == n:
            together.set()
        await together.wait()
        return len(arrived)

    def die():
        os._exit(3)

    def pid():
        return os.getpid()

    def args():
        return started_with

    def environment():
        return [name for name in os.environ if name.startswith("NODE_CHANNEL")]

    def default(task):
        return add(**task) if isinstance(task, dict) else task

    functions = {f.__name__: f for f in
                 (add, wait, sleep, fail, count, acount, unsendable, opaque, meet, die, pid, args, environment, default)}
    workers.serve(functions, setup=setup, teardown=teardown)
"""


NAMES = [
    "add", "wait", "sleep", "fail", "count", "acount", "unsendable", "opaque", "meet", "die", "pid", "args", "environment", "default",
]  # fmt: skip
MISSING = f"no function 'missing'; this worker has {', '.join(NAMES)}"


@pytest.fixture(params=["json", "advanced"])
def serialization(request):
    return request.param


@pytest.fixture
def run(run_node, serialization):
    """Run a pool of Python workers with each serialization."""
    return lambda source: run_node(
        f"const serialization = {serialization!r};\n" + textwrap.dedent(source), WORKER
    )


def cannot_send(serialization, path):
    """Return the text of the error for a result that cannot be sent."""
    why = {"json": "is not a type of JSON", "advanced": "is no type of JavaScript"}[serialization]
    return f"the message cannot be sent: object {why} (default= can translate it) at {path}"


def torn_down(folder):
    return len(list(folder.glob("torn-down-*")))


def raised_in(stack, line):
    """Whether a stack is Python's traceback that ends in a line of the worker."""
    return stack.startswith("Traceback (most recent call last):\n") and line in stack


@pytest.mark.package("workerpool", "worker", "`nodechannel.workers.serve`")
def test_workerpool_calls_functions(run, tmp_path, serialization):
    found = run(
        """
        import workerpool from 'workerpool';
        const forkOpts = { execPath: python, execArgv: [], serialization };
        const pool = workerpool.pool(child, { workerType: 'process', maxWorkers: 1, forkOpts });
        const seen = [];
        const proxy = await pool.proxy();
        const found = {
          add: await proxy.add(2, 3),
          nothing: await outcome(pool.exec('environment')),
          fail: await outcome(pool.exec('fail', ['odd'])),
          missing: await outcome(pool.exec('missing')),
          unsendable: await outcome(pool.exec('unsendable')),
          count: await pool.exec('count', [3], { on: (payload) => seen.push(payload) }),
          acount: await pool.exec('acount', [2], { on: (payload) => seen.push(payload) }),
          many: await Promise.all([...Array(50).keys()].map((n) => pool.exec('add', [n, n]))),
        };
        await pool.terminate();
        done({ ...found, seen, methods: Object.keys(proxy) });
        """
    )
    assert found["add"] == 5
    assert found["nothing"] == {"value": []}
    assert (found["fail"]["name"], found["fail"]["message"]) == ("ValueError", "odd")
    assert raised_in(found["fail"]["stack"], "raise ValueError(text)")
    assert (found["missing"]["name"], found["missing"]["message"]) == ("LookupError", MISSING)
    assert (found["unsendable"]["name"], found["unsendable"]["message"]) == (
        "InvalidMessage",
        cannot_send(serialization, "$.result"),
    )
    assert (found["count"], found["acount"]) == ("counted", None)
    assert found["seen"] == [0, 1, 2, 0, 1]
    assert found["many"] == [2 * n for n in range(50)]
    assert found["methods"] == NAMES
    assert torn_down(tmp_path) == 1


@pytest.mark.package("workerpool", "worker", "`nodechannel.workers.serve`")
def test_workerpool_cancels_coroutines_and_replaces_workers_that_cannot(run, tmp_path):
    found = run(
        """
        import workerpool from 'workerpool';
        const forkOpts = { execPath: python, execArgv: [], serialization };
        const pool = workerpool.pool(child, { workerType: 'process', maxWorkers: 1, forkOpts });
        const first = await pool.exec('pid');
        const late = await outcome(pool.exec('wait', [30]).timeout(200));
        const second = await pool.exec('pid');
        const blocked = await outcome(pool.exec('sleep', [30]).timeout(200));
        const third = await pool.exec('pid');
        const died = await outcome(pool.exec('die'));
        const fourth = await pool.exec('pid');
        await pool.terminate();
        done({ first, late, second, blocked, third, died, fourth });
        """
    )
    for call in ("late", "blocked"):
        assert (found[call]["name"], found[call]["message"]) == (
            "TimeoutError",
            "Promise timed out after 200 ms",
        )
    assert found["first"] == found["second"]
    assert (tmp_path / "cancelled").exists()
    assert found["second"] != found["third"]
    assert (
        "Workerpool Worker terminated Unexpectedly\n    exitCode: `3`\n    signalCode: `null`"
        in found["died"]["message"]
    )
    assert found["third"] != found["fourth"]


JEST = """
    import { Worker } from 'jest-worker';
    const start = (options, setupArgs = ['x']) => new Worker(child, {
      numWorkers: 1, setupArgs, enableWorkerThreads: false,
      // The default of half a second is little on a busy machine.
      workerGracefulExitTimeout: 20000,
      exposedMethods: ['add', 'wait', 'fail', 'count', 'unsendable', 'die', 'pid', 'args', 'missing', 'environment'],
      forkOptions: { execPath: python, execArgv: [child], serialization }, ...options,
    });
"""


@pytest.mark.package("jest-worker", "worker", "`nodechannel.workers.serve`")
def test_jest_worker_calls_functions(run, tmp_path, serialization):
    found = run(
        JEST
        + """
        const worker = start({});
        const custom = [];
        const counted = worker.count(3);
        counted.UNSTABLE_onCustomMessage((message) => custom.push(message));
        const found = {
          counted: await counted,
          add: await worker.add(2, 3),
          args: await worker.args(),
          fail: await outcome(worker.fail('odd')),
          missing: await outcome(worker.missing()),
          unsendable: await outcome(worker.unsendable()),
          environment: await worker.environment(),
          custom,
        };
        done({ ...found, ...await worker.end() });
        """
    )
    assert (found["add"], found["args"], found["counted"]) == (5, ["x"], "counted")
    assert found["custom"] == [0, 1, 2]
    assert (found["fail"]["type"], found["fail"]["message"]) == ("ValueError", "odd")
    assert raised_in(found["fail"]["stack"], "raise ValueError(text)")
    assert (found["missing"]["type"], found["missing"]["message"]) == ("LookupError", MISSING)
    assert (found["unsendable"]["type"], found["unsendable"]["message"]) == (
        "InvalidMessage",
        cannot_send(serialization, "$[1]"),
    )
    assert found["environment"] == []
    assert found["forceExited"] is False
    assert torn_down(tmp_path) == 1


@pytest.mark.package("jest-worker", "worker", "`nodechannel.workers.serve`")
def test_jest_worker_starts_sets_up_and_replaces_workers(run):
    found = run(
        JEST
        + """
        const broken = start({}, ['fail']);
        const refused = await outcome(broken.add(1, 1));
        await broken.end();
        const worker = start({});
        await worker.start();
        const first = await worker.pid();
        const died = await outcome(worker.die());
        await worker.end();
        const limited = start({ idleMemoryLimit: 1024 });
        const pids = [await limited.pid()];
        for (let n = 0; n < 100 && new Set(pids).size === 1; n += 1) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          pids.push(await limited.pid());
        }
        await limited.end();
        done({ refused, first, died, pids });
        """
    )
    assert found["refused"]["message"] == "Error when calling setup: no set-up today"
    assert found["died"]["message"] == (
        "Jest worker encountered 4 child process exceptions, exceeding retry limit"
    )
    # A worker above the limit is replaced after its call.
    assert len(set(found["pids"])) == 2


@pytest.mark.package("tinypool", "worker", "`nodechannel.workers.serve`")
def test_tinypool_calls_functions(run, tmp_path, serialization):
    found = run(
        """
        import { Tinypool } from 'tinypool';
        // tinypool does not keep Node alive while it waits for a worker that ends slowly.
        const alive = setInterval(() => {}, 1000);
        process.execPath = python;
        const pool = new Tinypool({
          runtime: 'child_process', filename: child, minThreads: 1, maxThreads: 1, execArgv: [child],
          env: process.env, serialization,
        });
        const found = {
          add: await pool.run({ a: 2, b: 3 }),
          fail: await outcome(pool.run('odd', { name: 'fail' })),
          missing: await outcome(pool.run(1, { name: 'missing' })),
          generator: await outcome(pool.run(1, { name: 'count' })),
          unsendable: await outcome(pool.run(1, { name: 'opaque' })),
          twice: await Promise.all([pool.run({ a: 1, b: 1 }), pool.run({ a: 2, b: 2 })]),
        };
        await pool.destroy();
        clearInterval(alive);
        done(found);
        """
    )
    assert found["add"] == 5
    assert (found["fail"]["name"], found["fail"]["message"]) == ("ValueError", "odd")
    assert raised_in(found["fail"]["stack"], "raise ValueError(text)")
    assert (found["missing"]["name"], found["missing"]["message"]) == ("LookupError", MISSING)
    assert (found["generator"]["name"], found["generator"]["message"]) == (
        "TypeError",
        "this pool has no events, so a generator cannot be called; return a value",
    )
    assert (found["unsendable"]["name"], found["unsendable"]["message"]) == (
        "InvalidMessage",
        cannot_send(serialization, "$.result"),
    )
    assert found["twice"] == [2, 4]
    assert torn_down(tmp_path) == 1


@pytest.mark.package("worker-farm", "worker", "`nodechannel.workers.serve`")
def test_worker_farm_calls_functions(run, tmp_path, serialization):
    found = run(
        """
        import farm from 'worker-farm';
        import { promisify } from 'util';
        const methods = ['add', 'fail', 'unsendable', 'meet', 'missing'];
        const workerOptions = { execPath: python, execArgv: [child], serialization };
        const workers = farm({ maxConcurrentWorkers: 1, workerOptions }, child, methods);
        const call = (name, ...args) => promisify(workers[name])(...args);
        const found = {
          met: await Promise.all([1, 2, 3, 4, 5].map(() => call('meet', 5))),
          add: await call('add', 2, 3),
          fail: await outcome(call('fail', 'odd')),
          missing: await outcome(call('missing')),
          unsendable: await outcome(call('unsendable')),
        };
        await new Promise((resolve) => farm.end(workers, resolve));
        done(found);
        """
    )
    assert found["add"] == 5
    assert (found["fail"]["type"], found["fail"]["message"]) == ("ValueError", "odd")
    assert raised_in(found["fail"]["stack"], "raise ValueError(text)")
    assert (found["missing"]["type"], found["missing"]["message"]) == ("LookupError", MISSING)
    assert (found["unsendable"]["type"], found["unsendable"]["message"]) == (
        "InvalidMessage",
        cannot_send(serialization, "$.args[1]"),
    )
    # Five calls ran at the same time: each waits for the remaining four.
    assert found["met"] == [5] * 5
    # worker-farm does not wait for its workers to end.
    deadline = time.monotonic() + 20
    while not torn_down(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.package("workerpool", "worker", "`nodechannel.workers.serve`")
def test_a_worker_has_the_options_of_a_channel(run_node):
    found = run_node(
        """
        import workerpool from 'workerpool';
        const pool = workerpool.pool(child, { workerType: 'process', maxWorkers: 1, forkOpts: { execPath: python, execArgv: [] } });
        const price = await pool.exec('price');
        await pool.terminate();
        done(price);
        """,
        """
        from decimal import Decimal
        from nodechannel import workers
        workers.serve({"price": lambda: {"price": Decimal("1.10")}}, default=str)
        """,
    )
    assert found == {"price": "1.10"}


def test_the_command_line_tells_the_package():
    marks = {
        "jest-worker": "/x/node_modules/jest-worker/build/processChild.js",
        "tinypool": "/x/node_modules/tinypool/dist/entry/process.js",
        "worker-farm": "/x/node_modules/worker-farm/lib/child/index",
        "bullmq": "/x/node_modules/bullmq/dist/cjs/classes/main.js",
    }
    for package, path in marks.items():
        assert choose(["worker.py", path], None).package == package
    assert choose(["worker.py"], None).package == "workerpool"
    assert choose(["worker.py"], "tinypool").package == "tinypool"
    with pytest.raises(ValueError, match="none of workerpool, jest-worker"):
        choose([], "piscina")


def test_without_a_pool_it_says_so(script):
    program = script("alone.py", "from nodechannel import workers\nworkers.serve({'f': print})\n")
    run = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        timeout=30,
        process_group=0,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("NODE_CHANNEL")},
    )
    assert run.returncode == 1
    assert "NODE_CHANNEL_FD is not set" in run.stderr
    with pytest.raises(nodechannel.NoChannel):
        workers.serve({})
    with pytest.raises(TypeError, match="not a function"):
        workers.serve({"f": 1})  # type: ignore[dict-item]
