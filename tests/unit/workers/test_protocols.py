"""The messages of each pool, spoken by the test over a real channel. The real packages are in `tests/packages`."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import nodechannel.asyncio
from nodechannel._workers.protocols import JestWorker, Protocol, TinyPool, WorkerFarm, WorkerPool
from nodechannel._workers.serving import Worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Talk = Callable[[nodechannel.asyncio.Channel], Awaitable[None]]


def double(value: int) -> int:
    return 2 * value


def fails() -> None:
    raise ValueError("no")


def items() -> Any:
    yield 1
    return 2


async def forever() -> None:
    await asyncio.sleep(60)


async def stubborn() -> Any:
    yield 1
    for _ in range(2):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "double": double,
    "fails": fails,
    "items": items,
    "forever": forever,
    "stubborn": stubborn,
    "default": double,
}


def run(protocol: type[Protocol], talk: Talk, **hooks: Any) -> None:
    """Serve the functions, and let a pool talk to the worker until the worker ends."""

    async def main() -> None:
        ours, theirs = socket.socketpair()
        worker = Worker(FUNCTIONS, hooks.get("setup"), None, 2)
        async with nodechannel.asyncio.Channel(theirs) as pool:
            task = asyncio.create_task(worker.run(protocol(worker), nodechannel.asyncio.Channel(ours)))
            await asyncio.wait_for(talk(pool), 30)
            await pool.disconnect()
            await asyncio.wait_for(task, 20)

    asyncio.run(main())


async def ask(pool: nodechannel.asyncio.Channel, message: Any) -> Any:
    await pool.send(message)
    return (await pool.receive(20)).data


def test_workerpool():
    async def talk(pool: nodechannel.asyncio.Channel) -> None:
        assert (await pool.receive(20)).data == "ready"
        assert await ask(pool, {"id": 1, "method": "methods"}) == {
            "id": 1,
            "result": list(FUNCTIONS),
            "error": None,
        }
        assert await ask(pool, {"id": 2, "method": "double", "params": [4]}) == {
            "id": 2,
            "result": 8,
            "error": None,
        }
        failed = await ask(pool, {"id": 3, "method": "fails"})
        assert (failed["result"], failed["error"]["name"], failed["error"]["message"]) == (
            None,
            "ValueError",
            "no",
        )
        assert await ask(pool, {"id": 4, "method": "items"}) == {"id": 4, "isEvent": True, "payload": 1}
        assert (await pool.receive(20)).data["result"] == 2
        await pool.send({"id": 5, "method": "forever"})
        assert await ask(pool, {"id": 5, "method": WorkerPool.CLEANUP}) == {
            "id": 5, "method": WorkerPool.CLEANUP, "error": None
        }  # fmt: skip
        await pool.send(WorkerPool.TERMINATE)

    run(WorkerPool, talk)


def test_a_coroutine_that_goes_on_after_its_cancellation_is_told_to_workerpool(monkeypatch):
    monkeypatch.setattr(WorkerPool, "PATIENCE", 0.05)

    async def talk(pool: nodechannel.asyncio.Channel) -> None:
        assert (await pool.receive(20)).data == "ready"
        await pool.send({"id": 1, "method": "stubborn"})
        assert (await pool.receive(20)).data["isEvent"]
        cleaned = await ask(pool, {"id": 1, "method": WorkerPool.CLEANUP})
        assert "takes its CancelledError" in cleaned["error"]["message"]
        assert cleaned["error"]["name"] == "Error"

    run(WorkerPool, talk)


def test_jest_worker():
    seen: list[Any] = []

    async def talk(pool: nodechannel.asyncio.Channel) -> None:
        await pool.send([JestWorker.INITIALIZE, False, "/script", ["x"]])
        assert await ask(pool, [JestWorker.SETUP]) == [0, None]
        assert await ask(pool, [JestWorker.CALL, False, "double", [4]]) == [0, 8]
        kind, name, message, stack, extra = await ask(pool, [JestWorker.CALL, False, "fails", []])
        assert (kind, name, message, extra) == (1, "ValueError", "no", {})
        assert "in fails" in stack
        assert await ask(pool, [JestWorker.CALL, False, "items", []]) == [3, 1]
        assert (await pool.receive(20)).data == [0, 2]
        kind, size = await ask(pool, [JestWorker.MEMORY])
        assert kind == 4
        assert size > 1_000_000
        await pool.send([JestWorker.END])

    run(JestWorker, talk, setup=lambda *args: seen.append(args))
    assert seen == [("x",)]


def test_a_set_up_that_fails_is_told_to_jest_worker():
    async def talk(pool: nodechannel.asyncio.Channel) -> None:
        assert (await ask(pool, [JestWorker.CALL, False, "double", [4]]))[:2] == [2, "ZeroDivisionError"]

    run(JestWorker, talk, setup=lambda: 1 // 0)


def test_tinypool():
    async def talk(pool: nodechannel.asyncio.Channel) -> None:
        assert await ask(pool, {"source": "pool", **TinyPool.MARK}) == {
            "ready": True,
            "source": "pool",
            **TinyPool.MARK,
        }
        await pool.send({"source": "port", "task": "no mark"})
        answer = await ask(
            pool, {"source": "port", "taskId": 7, "task": 4, "name": "double", **TinyPool.MARK}
        )
        assert (answer["taskId"], answer["result"], answer["error"]) == (7, 8, None)
        answer = await ask(pool, {"source": "port", "taskId": 8, "task": 4, **TinyPool.MARK})
        assert answer["result"] == 8, "the function without a name is `default`"

    run(TinyPool, talk)


def test_worker_farm():
    async def talk(pool: nodechannel.asyncio.Channel) -> None:
        await pool.send({"owner": "farm", "module": "/m.js"})
        call = {"owner": "farm", "idx": 1, "child": 2}
        assert await ask(pool, {**call, "method": "double", "args": [4]}) == {**call, "args": [None, 8]}
        assert (await ask(pool, {**call, "args": [4]}))["args"] == [None, 8]
        error, result = (await ask(pool, {**call, "method": "fails", "args": []}))["args"]
        assert (error["$error"], error["type"], error["message"], result) == (
            "$error",
            "ValueError",
            "no",
            None,
        )
        await pool.send({"owner": "farm", "event": "die"})

    run(WorkerFarm, talk)
