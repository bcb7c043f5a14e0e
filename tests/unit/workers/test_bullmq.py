"""A processor of BullMQ; the test stands for the queue. The real queue with Redis is in `tests/packages`."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import nodechannel.asyncio
from nodechannel._workers import bullmq
from nodechannel._workers.bullmq import AsyncJob, BullMQ, Job
from nodechannel._workers.serving import Worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def run(functions: Any, talk: Callable[[nodechannel.asyncio.Channel], Awaitable[None]], **hooks: Any) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        worker = Worker(functions, hooks.get("setup"), None, 2)
        async with nodechannel.asyncio.Channel(theirs) as queue:
            task = asyncio.create_task(worker.run(BullMQ(worker), nodechannel.asyncio.Channel(ours)))
            await asyncio.wait_for(talk(queue), 30)
            await queue.disconnect()
            await asyncio.wait_for(task, 20)

    asyncio.run(main())


async def answer(queue: nodechannel.asyncio.Channel) -> Any:
    return (await queue.receive(20)).data


def start(name: str, data: Any) -> dict[str, Any]:
    return {"cmd": bullmq.START, "job": {"id": "1", "name": name, "data": json.dumps(data)}, "token": "t"}


def test_a_job_reaches_the_function_of_its_name_or_the_default():
    def named(job: Job) -> Any:
        return [job.id, job.name, job.data["x"], job.token]

    async def default(job: AsyncJob) -> str:
        return f"default {job.name}"

    async def talk(queue: nodechannel.asyncio.Channel) -> None:
        await queue.send({"cmd": bullmq.INIT})
        assert await answer(queue) == {"cmd": bullmq.INIT_COMPLETED}
        await queue.send(start("named", {"x": 5}))
        assert await answer(queue) == {"cmd": bullmq.COMPLETED, "value": ["1", "named", 5, "t"]}
        await queue.send(start("other", {}))
        assert await answer(queue) == {"cmd": bullmq.COMPLETED, "value": "default other"}

    run({"named": named, "default": default}, talk)


def test_a_blocking_job_in_the_event_loop_is_an_error_and_no_deadlock():
    async def inner(job: Any) -> None:
        job.log("x")

    def plain(job: Job) -> Any:
        return inner(job)

    class Processor:
        async def __call__(self, job: AsyncJob) -> str:
            await job.log("from the object")
            return "done"

    async def talk(queue: nodechannel.asyncio.Channel) -> None:
        await queue.send(start("plain", {}))
        failed = await answer(queue)
        assert failed["cmd"] == bullmq.FAILED
        assert "make the processor `async def`" in failed["value"]["message"]
        await queue.send(start("object", {}))
        assert await answer(queue) == {"cmd": bullmq.LOG, "value": "from the object"}
        assert await answer(queue) == {"cmd": bullmq.COMPLETED, "value": "done"}

    run({"plain": plain, "object": Processor()}, talk)


def test_a_job_tells_and_asks_the_queue():
    def work(job: Job) -> Any:
        job.update_progress(50)
        job.log("row")
        return job.get_children_values()

    async def talk(queue: nodechannel.asyncio.Channel) -> None:
        await queue.send(start("work", {}))
        assert await answer(queue) == {"cmd": bullmq.PROGRESS, "value": 50}
        assert await answer(queue) == {"cmd": bullmq.LOG, "value": "row"}
        asked = await answer(queue)
        assert asked["cmd"] == bullmq.CHILDREN_VALUES
        await queue.send({"cmd": bullmq.ANSWERS[0], "requestId": "unknown", "value": 1})
        await queue.send({"cmd": bullmq.ANSWERS[0], "requestId": asked["requestId"], "value": {"c": 1}})
        assert await answer(queue) == {"cmd": bullmq.COMPLETED, "value": {"c": 1}}

    run({"work": work}, talk)


def test_a_request_without_an_answer_fails_the_job(monkeypatch):
    monkeypatch.setattr(bullmq, "PATIENCE", 0.02)

    async def work(job: AsyncJob) -> Any:
        return await job.get_dependencies()

    async def talk(queue: nodechannel.asyncio.Channel) -> None:
        await queue.send(start("work", {}))
        assert (await answer(queue))["cmd"] == bullmq.DEPENDENCIES
        failed = await answer(queue)
        assert (failed["cmd"], failed["value"]["name"]) == (bullmq.FAILED, "TimeoutError")

    run({"work": work}, talk)


def test_a_cancelled_job_ends_a_coroutine_and_tells_a_plain_function():
    begun = asyncio.Event()

    async def waits(_job: AsyncJob) -> None:
        begun.set()
        await asyncio.sleep(60)

    def looks(job: Job) -> bool:
        return job.cancelled.wait(20)

    async def talk(queue: nodechannel.asyncio.Channel) -> None:
        await queue.send(start("waits", {}))
        await begun.wait()
        await queue.send({"cmd": bullmq.CANCEL})
        failed = await answer(queue)
        assert (failed["cmd"], failed["value"]["message"]) == (bullmq.FAILED, "the job was cancelled")
        await queue.send(start("looks", {}))
        await asyncio.sleep(0.05)
        await queue.send({"cmd": bullmq.CANCEL})
        assert await answer(queue) == {"cmd": bullmq.COMPLETED, "value": True}

    run({"waits": waits, "looks": looks}, talk)


def test_a_set_up_that_fails_ends_the_process():
    async def talk(queue: nodechannel.asyncio.Channel) -> None:
        await queue.send({"cmd": bullmq.INIT})
        failed = await answer(queue)
        assert (failed["cmd"], failed["err"]["name"]) == (bullmq.INIT_FAILED, "ZeroDivisionError")

    run({}, talk, setup=lambda: 1 // 0)
