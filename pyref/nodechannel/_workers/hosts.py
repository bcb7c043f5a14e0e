"""The messages of a pool to Node's workers, which are written for workerpool or for jest-worker."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from nodechannel._dialects.faults import RemoteException, shown
from nodechannel.errors import LocalError


class ModuleNotFound(LocalError):
    """A package is not installed where the worker's script looks for it.

    Cause:
        The script of the worker needs a package of npm that its folder does not have.

    Remedy:
        Install it there with the command in the text of the error.
    """

    code = "NC_MODULE_NOT_FOUND"

    def __init__(self, package: str, script: str) -> None:
        super().__init__(
            f"{package} is not installed for {script}: run `npm install {package}` in its folder"
        )


class Said(NamedTuple):
    """The meaning of a worker's message for the call `id`; None is the call under way."""

    kind: str  # "ready", "event", "result", "error", "cleaned"
    id: int | None = None
    value: Any = None


class Host:
    """How to talk to the workers of a package."""

    package: ClassVar[str]
    # Whether a worker says that it is ready.
    greets: ClassVar[bool] = False

    def __init__(self, script: str, setup_args: Sequence[Any]) -> None:
        self.script = script
        self.setup_args = list(setup_args)

    def program(self) -> str:
        """Return the script that Node is to run; raises `ModuleNotFound`."""
        return self.script

    def greeting(self) -> list[Any]:
        """Return the first messages to a worker."""
        return []

    def call(self, id: int, method: str, args: Sequence[Any]) -> Any:
        """Return the message of a call."""
        raise NotImplementedError

    def cancel(self, _id: int) -> Any:
        """Return the message that asks a worker to give a call up, or None if it has to be killed."""
        return None

    def end(self) -> Any:
        """Return the message that ends a worker."""
        raise NotImplementedError

    def understand(self, data: Any) -> Said | None:
        """Return the meaning of a message, or None if it concerns no call."""
        raise NotImplementedError


class WorkerPoolHost(Host):
    """Scripts that call `workerpool.worker({...})`."""

    package = "workerpool"
    greets = True

    def call(self, id: int, method: str, args: Sequence[Any]) -> Any:
        return {"id": id, "method": method, "params": list(args)}

    def cancel(self, id: int) -> Any:
        return {"id": id, "method": "__workerpool-cleanup__"}

    def end(self) -> Any:
        return "__workerpool-terminate__"

    def understand(self, data: Any) -> Said | None:
        if data == "ready":
            return Said("ready")
        if not isinstance(data, dict):
            return None
        id = data.get("id")
        if data.get("method") == "__workerpool-cleanup__":
            return Said("cleaned", id, not data.get("error"))
        if data.get("isEvent"):
            return Said("event", id, data.get("payload"))
        if error := data.get("error"):
            told = error if isinstance(error, dict) else {}
            return Said(
                "error", id, _exception(told.get("name"), told.get("message"), told.get("stack"), error)
            )
        return Said("result", id, data.get("result"))


class JestWorkerHost(Host):
    """Modules that export functions, run by jest-worker's own child script."""

    package = "jest-worker"

    def program(self) -> str:
        for folder in Path(self.script).resolve().parents:
            found = folder / "node_modules" / "jest-worker" / "build" / "processChild.js"
            if found.exists():
                return os.fspath(found)
        raise ModuleNotFound(self.package, self.script)

    def greeting(self) -> list[Any]:
        return [[0, False, os.fspath(Path(self.script).resolve()), self.setup_args]]

    def call(self, id: int, method: str, args: Sequence[Any]) -> Any:  # noqa: ARG002 (one call at a time has no id)
        return [1, False, method, list(args)]

    def end(self) -> Any:
        return [2, False]

    def understand(self, data: Any) -> Said | None:
        kind = data[0] if isinstance(data, list) and data else None
        if kind == 0:
            return Said("result", None, data[1] if len(data) > 1 else None)
        if kind in (1, 2):
            name, message, stack, extra = (*data[1:5], None, None, None, None)[:4]
            return Said("error", None, _exception(name, message, stack, extra))
        if kind == 3:
            return Said("event", None, data[1] if len(data) > 1 else None)
        return None


def _exception(name: Any, message: Any, stack: Any, data: Any) -> RemoteException:
    """Return an exception of a worker. JavaScript may throw any value, and then `data` is that value."""
    stack = shown(stack or "")
    name = name or stack.partition(":")[0].partition("\n")[0] or "Error"
    return RemoteException(shown(name), shown(data if message is None else message), stack, data)


HOSTS: dict[str, type[Host]] = {host.package: host for host in (WorkerPoolHost, JestWorkerHost)}
