"""The messages of JSON-RPC 2.0, with vscode-jsonrpc's cancellation and progress."""

from __future__ import annotations

from typing import Any

from nodechannel._dialects.faults import RemoteException, describe, shown

CANCEL = "$/cancelRequest"
PROGRESS = "$/progress"

INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
TOO_MANY_REQUESTS = -32000
REQUEST_CANCELLED = -32800

# Names that the peers of language servers use for the token of a request's progress.
TOKENS = ("workDoneToken", "partialResultToken", "progressToken")


class RpcError(RemoteException):
    """An error answer. Raised by a request, and by a method to answer with an error of its own.

    Attributes:
        number: JSON-RPC's error code.
        message: its text.
        data: the details; for an exception of a Python peer ``{"name", "stack"}``.

    Cause:
        The method is unknown, its parameters are wrong, or it failed; `number` says which.

    Remedy:
        Correct the call, or the method at the far side; `data` has its details.
    """

    code = "NC_RPC_ERROR"

    def __init__(self, number: int, message: str, data: object = None) -> None:
        name, stack = f"error {number}", ""
        if isinstance(data, dict):
            name, stack = shown(data.get("name", name)), shown(data.get("stack", ""))
        super().__init__(name, message, stack, data)
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.number, self.message, self.data)


class RequestCancelled(RpcError):
    """The remote side cancelled the request, or confirms that it was cancelled.

    Cause:
        The request timed out, its task was cancelled, or the peer gave it up.

    Remedy:
        Ask again, with a longer `timeout` if it was too short.
    """

    code = "NC_REQUEST_CANCELLED"

    def __init__(
        self, number: int = REQUEST_CANCELLED, message: str = "the request was cancelled", data: object = None
    ) -> None:
        super().__init__(number, message, data)


def request(id: int, method: str, params: Any) -> dict[str, Any]:
    """Return a request."""
    return {"jsonrpc": "2.0", "id": id, **_call(method, params)}


def notification(method: str, params: Any) -> dict[str, Any]:
    """Return a notification."""
    return {"jsonrpc": "2.0", **_call(method, params)}


def _call(method: str, params: Any) -> dict[str, Any]:
    if params is None:
        return {"method": method}
    # JSON-RPC knows parameters as a list or an object; vscode-jsonrpc wraps a single value in the same way.
    return {"method": method, "params": params if isinstance(params, list | dict) else [params]}


def answer(id: Any, result: Any) -> dict[str, Any]:
    """Return the answer of a request that went well."""
    return {"jsonrpc": "2.0", "id": id, "result": result}


def failure(id: Any, error: BaseException) -> dict[str, Any]:
    """Return the answer of a request that failed."""
    if not isinstance(error, RpcError):
        name, message, stack = describe(error)
        error = RpcError(INTERNAL_ERROR, message or name, {"name": name, "stack": stack})
    told: dict[str, Any] = {"code": error.number, "message": error.message}
    if error.data is not None:
        told["data"] = error.data
    return {"jsonrpc": "2.0", "id": id, "error": told}


def error_of(answer: dict[str, Any]) -> RpcError | None:
    """Return the error of an answer, or None."""
    told = answer.get("error")
    if told is None:
        return None
    if not isinstance(told, dict):
        return RpcError(INTERNAL_ERROR, shown(told))
    number = told.get("code", INTERNAL_ERROR)
    kind = RequestCancelled if number == REQUEST_CANCELLED else RpcError
    return kind(number, shown(told.get("message", "")), told.get("data"))


def is_id(value: Any) -> bool:
    """Tell whether a value can be the id of a request: a text, a number, or null."""
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))


def token_of(params: Any) -> Any:
    """Return the token for the progress of a request, or None."""
    if isinstance(params, dict):
        for name in TOKENS:
            if params.get(name) is not None:
                return params[name]
    return None
