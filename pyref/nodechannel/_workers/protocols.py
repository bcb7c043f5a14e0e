"""The messages between the pool of each package and its workers; BullMQ has a file of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from nodechannel._dialects.faults import describe
from nodechannel._transport.system import memory

if TYPE_CHECKING:
    from nodechannel._dialects.faults import Fault
    from nodechannel._workers.serving import Worker


class Protocol:
    """How a package talks to a worker."""

    package: ClassVar[str]
    # Parts of a word of the command line; they tell that this package started the process.
    marks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    async def begin(self) -> None:
        """Speak first, if the worker does."""

    async def received(self, data: Any) -> None:
        """Take a message; anything that takes time is started beside the channel."""
        raise NotImplementedError

    async def last(self) -> None:
        """Finish before the process ends by a signal or by the pool's wish."""


class WorkerPool(Protocol):
    """workerpool: one call at a time, events, and a request to clean up when a call timed out or was cancelled."""

    package = "workerpool"

    CLEANUP = "__workerpool-cleanup__"
    TERMINATE = "__workerpool-terminate__"
    # Seconds for a cancelled coroutine to end, workerpool's own `abortListenerTimeout`.
    PATIENCE = 1.0

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._running: dict[Any, asyncio.Task[None]] = {}

    async def begin(self) -> None:
        await self.worker.set_up()
        await self.worker.send("ready")

    async def received(self, data: Any) -> None:
        if data == self.TERMINATE:
            self.worker.stop()
        elif not isinstance(data, dict):
            return
        elif data.get("method") == self.CLEANUP:
            self.worker.start(self._clean_up(data.get("id")))
        else:
            task = self.worker.start(self._call(data))
            self._running[data.get("id")] = task
            task.add_done_callback(lambda _: self._running.pop(data.get("id"), None))

    async def _call(self, data: dict[str, Any]) -> None:
        id, name = data.get("id"), data.get("method", "")
        if name == "methods":
            return await self.worker.send({"id": id, "result": list(self.worker.functions), "error": None})
        result, fault = await self.worker.outcome(
            name,
            tuple(data.get("params") or ()),
            lambda item: self.worker.send({"id": id, "isEvent": True, "payload": item}),
        )
        if fault is not None:
            return await self.worker.send(self._failure(id, fault))
        return await self.worker.reply(
            {"id": id, "result": result, "error": None}, lambda fault: self._failure(id, fault)
        )

    def _failure(self, id: Any, fault: Fault) -> dict[str, Any]:
        return {"id": id, "result": None, "error": fault._asdict()}

    async def _clean_up(self, id: Any) -> None:
        """Cancel a call; an error in the answer makes workerpool replace this worker."""
        error = None
        task = self._running.get(id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=self.PATIENCE)
        if self.worker.busy or (task is not None and not task.done()):
            text = "only a coroutine can be cancelled, and only if it takes its CancelledError for its end"
            error = {"name": "Error", "message": text, "stack": ""}
        await self.worker.send({"id": id, "method": self.CLEANUP, "error": error})


class JestWorker(Protocol):
    """jest-worker: arrays with a number first."""

    package = "jest-worker"
    marks = ("jest-worker", "processChild")

    INITIALIZE, CALL, END, MEMORY, SETUP = range(5)
    OK, CLIENT_ERROR, SETUP_ERROR, CUSTOM, MEMORY_USAGE = range(5)

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._setup_args: tuple[Any, ...] = ()

    async def received(self, data: Any) -> None:
        kind = data[0] if isinstance(data, list) and data else None
        if kind == self.INITIALIZE:
            self._setup_args = tuple(data[3] or ()) if len(data) > 3 else ()
        elif kind == self.CALL:
            self.worker.start(self._call(data[2], tuple(data[3])))
        elif kind == self.SETUP:
            self.worker.start(self._prepare())
        elif kind == self.MEMORY:
            await self.worker.send([self.MEMORY_USAGE, memory()])
        elif kind == self.END:
            self.worker.stop()

    async def _prepare(self) -> None:
        if await self._ready():
            await self.worker.send([self.OK, None])

    async def _ready(self) -> bool:
        """Call the set-up function before the first call; tell the pool if it fails."""
        try:
            await self.worker.set_up(*self._setup_args)
        except Exception as error:
            await self.worker.send(self._failure(describe(error), self.SETUP_ERROR))
            return False
        return True

    async def _call(self, name: str, args: tuple[Any, ...]) -> None:
        if not await self._ready():
            return
        result, fault = await self.worker.outcome(
            name, args, lambda item: self.worker.send([self.CUSTOM, item])
        )
        if fault is not None:
            await self.worker.send(self._failure(fault))
        else:
            await self.worker.reply([self.OK, result], self._failure)

    def _failure(self, fault: Fault, kind: int = CLIENT_ERROR) -> list[Any]:
        return [kind, fault.name, fault.message, fault.stack, {}]


class TinyPool(Protocol):
    """tinypool: one task at a time, ended by SIGTERM."""

    package = "tinypool"
    marks = ("tinypool", "process.js")

    MARK: ClassVar[dict[str, bool]] = {"__tinypool_worker_message__": True}

    async def received(self, data: Any) -> None:
        if not isinstance(data, dict) or "__tinypool_worker_message__" not in data:
            return
        if data.get("source") == "pool":
            await self.worker.set_up()
            await self.worker.send({"ready": True, "source": "pool", **self.MARK})
        elif data.get("source") == "port":
            self.worker.start(self._run(data))

    async def _run(self, data: dict[str, Any]) -> None:
        result, fault = await self.worker.outcome(data.get("name", "default"), (data.get("task"),))
        id = data.get("taskId")
        await self.worker.reply(self._answer(id, result, fault), lambda fault: self._answer(id, None, fault))

    def _answer(self, id: Any, result: Any, fault: Fault | None) -> dict[str, Any]:
        error = None if fault is None else fault._asdict()
        return {
            "source": "port",
            **self.MARK,
            "taskId": id,
            "result": result,
            "error": error,
            "usedMemory": memory(),
        }


class WorkerFarm(Protocol):
    """worker-farm: several calls at a time; the module alone as the method is the function ``default``."""

    package = "worker-farm"
    marks = ("worker-farm", "child")

    async def received(self, data: Any) -> None:
        if not isinstance(data, dict) or data.get("owner") != "farm":
            return
        if "module" in data:
            await self.worker.set_up()
        elif data.get("event") == "die":
            self.worker.stop()
        else:
            self.worker.start(self._call(data))

    async def _call(self, data: dict[str, Any]) -> None:
        result, fault = await self.worker.outcome(data.get("method") or "default", tuple(data["args"]))
        await self.worker.reply(
            self._answer(data, result, fault), lambda fault: self._answer(data, None, fault)
        )

    def _answer(self, data: dict[str, Any], result: Any, fault: Fault | None) -> dict[str, Any]:
        error = None
        if fault is not None:
            error = {"$error": "$error", "type": fault.name, "message": fault.message, "stack": fault.stack}
        return {"owner": "farm", "idx": data["idx"], "child": data["child"], "args": [error, result]}
