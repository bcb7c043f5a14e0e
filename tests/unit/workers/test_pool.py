"""A pool over real Node processes, whose script speaks workerpool's messages by hand. The real packages are in `tests/packages`."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

import nodechannel._workers.pool as pools
from nodechannel._dialects.faults import RemoteException
from nodechannel._workers.pool import AsyncPool, Pool, PoolClosed, WorkerDied
from nodechannel.errors import InvalidMessage
from support.node import node

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
process.on('message', (m) => {
  if (m === '__workerpool-terminate__') process.exit(0);
  const answer = (result, error = null) => process.send({ id: m.id, result, error });
  if (m.method === 'methods') answer(['double', 'pid']);
  else if (m.method === 'double') answer(2 * m.params[0]);
  else if (m.method === 'pid') answer(process.pid);
  else if (m.method === 'events') { process.send({ id: m.id, isEvent: true, payload: 1 }); answer('done'); }
  else if (m.method === 'fail') answer(null, { name: 'RangeError', message: 'odd', stack: 's' });
  else if (m.method === 'die') process.exit(7);
  else if (m.method === 'length') answer(m.params[0].length);
  else if (m.method === 'busy') { process.send({ id: m.id, isEvent: true }, () => { for (;;); }); }
});
process.send('ready');
"""

# The messages of jest-worker have no ids. A script by hand stands for the package, at the place where a pool looks for it.
JEST = """
process.on('message', ([kind, , method, args]) => {
  if (kind === 2) process.exit(0);
  if (kind !== 1) return;
  process.send([3, 'an event of ' + method]);
  setTimeout(() => process.send([0, [method, ...args.map((one) => one.length)]]), 30);
});
"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "worker.js"
    path.write_text(SCRIPT)
    return str(path)


def test_calls_reuse_a_worker(script):
    with Pool(script, workers=1, exec_path=node()) as pool:
        assert pool.call("double", 21, timeout=20) == 42
        first = pool.call("pid", timeout=20)
        assert pool.submit("pid").result(20) == first
        assert pool.methods() == ["double", "pid"]
        assert pool.size == 1
    with pytest.raises(PoolClosed):
        pool.call("double", 1)


def test_events_and_exceptions_of_a_worker(script):
    async def scenario() -> None:
        async with AsyncPool(script, workers=1, exec_path=node()) as pool:
            seen: list[int] = []
            assert await pool.call("events", timeout=20, on_event=seen.append) == "done"
            assert seen == [1]
            with pytest.raises(RemoteException, match="RangeError: odd"):
                await pool.call("fail", timeout=20)

    asyncio.run(scenario())


def test_a_worker_that_dies_is_replaced(script):
    async def scenario() -> None:
        async with AsyncPool(script, workers=1, exec_path=node()) as pool:
            first = await pool.call("pid", timeout=20)
            with pytest.raises(WorkerDied, match="7"):
                await pool.call("die", timeout=20)
            second = await pool.call("pid", timeout=20)
            assert second != first

    asyncio.run(scenario())


@pytest.fixture
def jest(tmp_path: Path) -> str:
    child = tmp_path / "node_modules" / "jest-worker" / "build" / "processChild.js"
    child.parent.mkdir(parents=True)
    child.write_text(JEST)
    (tmp_path / "module.js").write_text("")
    return str(tmp_path / "module.js")


def test_the_answer_of_a_call_that_was_left_meets_no_other_call(jest):
    async def scenario() -> None:
        async with AsyncPool(jest, kind="jest-worker", workers=1, exec_path=node()) as pool:

            def refuse(_event: object) -> None:
                raise LookupError("this listener fails")

            with pytest.raises(LookupError, match="this listener fails"):
                await pool.call("first", timeout=20, on_event=refuse)
            assert await pool.call("second", timeout=20) == ["second"]
            with pytest.raises(InvalidMessage):
                await pool.call("refused", object(), timeout=20)
            # Longer than the buffers, so that it is given up while it is sent.
            left = asyncio.create_task(pool.call("third", "x" * 20_000_000))
            while not pool._room.locked():
                await asyncio.sleep(0)
            await asyncio.sleep(0.005)
            left.cancel()
            with pytest.raises(asyncio.CancelledError):
                await left
            assert await pool.call("fourth", "xx", timeout=20) == ["fourth", 2]

    asyncio.run(scenario())


def test_a_worker_that_does_not_read_is_given_up_and_ended(script, monkeypatch):
    monkeypatch.setattr(pools, "CLEAN_UP", 0.1)
    monkeypatch.setattr(pools, "END", 0.5)

    async def scenario() -> None:
        async with AsyncPool(script, workers=2, exec_path=node()) as pool:
            begun = asyncio.Event()
            busy = asyncio.create_task(pool.call("busy", on_event=lambda _: begun.set()))
            await asyncio.wait_for(begun.wait(), 20)
            [worker] = pool._all
            # Fills the buffers of the channel, so that no further message can be written.
            filling = asyncio.create_task(worker.child.send("x" * 5_000_000))
            await asyncio.sleep(0.05)
            busy.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(busy, 20)
            await asyncio.wait([filling])
            filling.exception()
            again = asyncio.create_task(pool.call("busy", "y" * 5_000_000, on_event=lambda _: begun.set()))
            await asyncio.sleep(0.3)
        with pytest.raises(WorkerDied):
            await again

    asyncio.run(scenario())


def test_a_worker_that_died_while_idle_is_reported_as_dead(script):
    async def scenario() -> None:
        async with AsyncPool(script, workers=1, exec_path=node()) as pool:
            pid = await pool.call("pid", timeout=20)
            os.kill(pid, signal.SIGKILL)
            with suppress(WorkerDied):  # noticed before or after the call is sent
                await pool.call("length", "x" * 5_000_000, timeout=20)
            assert await pool.call("pid", timeout=20) != pid

    asyncio.run(scenario())


def test_a_pool_that_is_closed_while_a_worker_starts_leaves_none(script):
    async def scenario() -> None:
        pool = AsyncPool(script, workers=1, exec_path=node())
        call = asyncio.create_task(pool.call("pid"))
        await asyncio.sleep(0)
        await pool.close()
        with pytest.raises((PoolClosed, WorkerDied)):
            await call
        assert pool.size == 0

    asyncio.run(scenario())


def test_an_unknown_kind_is_refused(script):
    with pytest.raises(ValueError, match="none of workerpool, jest-worker"):
        AsyncPool(script, kind="piscina")
