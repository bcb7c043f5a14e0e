"""A pool over real Node processes, whose script speaks workerpool's messages by hand. The real packages are in `tests/packages`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nodechannel._dialects.faults import RemoteException
from nodechannel._workers.pool import AsyncPool, Pool, PoolClosed, WorkerDied
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
});
process.send('ready');
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


def test_an_unknown_kind_is_refused(script):
    with pytest.raises(ValueError, match="none of workerpool, jest-worker"):
        AsyncPool(script, kind="piscina")
