"""The messages of birpc, as those of JSON-RPC.

========================================  ==================================================
birpc                                     JSON-RPC
========================================  ==================================================
``{t: 'q', m, a, i}``, without `i`        a request, a notification
``{t: 'q', …, o: true}``                  a request that a missing method answers with null
``{t: 's', i, r}``, ``{t: 's', i, e}``    an answer, an error answer
========================================  ==================================================

birpc has neither cancellation nor progress; these notifications are not sent.
"""

from __future__ import annotations

from typing import Any

from nodechannel import js
from nodechannel._dialects.faults import shown
from nodechannel._rpc import wire


class Birpc:
    """The dialect ``birpc``; see `nodechannel._rpc.dialects.Dialect`.

    Args:
        errors: whether the serialization carries an Error. Without that, an error is an object with `name`, `message` and `stack`.
    """

    def __init__(self, *, errors: bool) -> None:
        self._errors = errors
        # The ids of requests whose method may be missing.
        self._optional: set[Any] = set()

    def read(self, data: Any) -> Any:
        """Return the message of JSON-RPC that a message of birpc stands for; any other value as it is."""
        kind = data.get("t") if isinstance(data, dict) else None
        if kind == "q":
            return self._read_call(data)
        if kind == "s":
            return _read_answer(data)
        return data

    def _read_call(self, data: dict[str, Any]) -> dict[str, Any]:
        call = {"method": data.get("m"), "params": data.get("a") or []}
        id = data.get("i")
        if isinstance(id, str | int):
            call["id"] = id
            if data.get("o"):
                self._optional.add(id)
        return call

    def write(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Return the message of birpc for one of JSON-RPC, or None where birpc has none."""
        if message.get("method") in (wire.CANCEL, wire.PROGRESS):
            return None
        if "method" in message:
            params = message.get("params", [])
            call = {"m": message["method"], "a": params if isinstance(params, list) else [params], "t": "q"}
            return {**call, "i": message["id"]} if "id" in message else call
        return None if message["id"] is None else self._write_answer(message)

    def _write_answer(self, message: dict[str, Any]) -> dict[str, Any]:
        id, error = message["id"], message.get("error")
        optional = id in self._optional
        self._optional.discard(id)
        if error is None or (optional and error["code"] == wire.METHOD_NOT_FOUND):
            return {"t": "s", "i": id, "r": message.get("result")}
        return {"t": "s", "i": id, "e": self._error(error)}

    def _error(self, error: dict[str, Any]) -> object:
        data = error.get("data")
        known = data if isinstance(data, dict) else {}
        name, stack = str(known.get("name", "Error")), known.get("stack")
        if not self._errors:
            return {"name": name, "message": error["message"], "stack": stack}
        # JavaScript's own names alone can be the name of an Error on the wire.
        if name in js.ERROR_NAMES:
            return js.Error(name, error["message"], stack)
        return js.Error("Error", f"{name}: {error['message']}", stack)


def _read_answer(data: dict[str, Any]) -> dict[str, Any]:
    id, error = data.get("i"), data.get("e")
    if not error:
        return {"id": id, "result": data.get("r")}
    if isinstance(error, js.Error):
        error = {"name": error.name, "message": error.message, "stack": error.stack}
    if not isinstance(error, dict):
        error = {"message": error}
    told = {"name": error.get("name") or "Error", "stack": error.get("stack") or ""}
    text = shown(error.get("message") or "an error without a message")
    return {"id": id, "error": {"code": wire.INTERNAL_ERROR, "message": text, "data": told}}
