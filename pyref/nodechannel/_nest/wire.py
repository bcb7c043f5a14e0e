"""The packets of NestJS's Redis transport, without I/O: names of channels, requests, answers."""

from __future__ import annotations

import uuid
from typing import Any

from nodechannel.errors import InvalidMessage, RemoteError


class NestError(RemoteError):
    """An error answer, or no answer at all. A handler that raises it answers with `error`.

    Attributes:
        error: the value that stands for the error in the packet.

    Cause:
        The handler of the other side failed, or no service listens to the pattern.

    Remedy:
        Start the service, or correct its handler; `error` has the answer.
    """

    code = "NC_NEST"

    def __init__(self, error: Any) -> None:
        text = error.get("message") if isinstance(error, dict) else None
        super().__init__(str(error if text is None else text))
        self.error: Any = error


def route(pattern: Any) -> str:
    """Return the channel of a pattern: a string as it is, an object as a text with sorted keys. Raises `InvalidMessage`."""
    # [RDS-040]
    if isinstance(pattern, dict):
        # Node sorts as people do, so that `a` comes before `B`.
        names = sorted(pattern, key=lambda name: (name.lower(), name.swapcase()))
        return "{" + ",".join(f'"{_escaped(name)}":{_part(pattern[name])}' for name in names) + "}"
    if isinstance(pattern, str) or type(pattern) in (int, float):
        return str(pattern)
    raise InvalidMessage("a pattern is a string, a number or an object", "$.pattern")


def _part(value: Any) -> str:
    if isinstance(value, str):
        return f'"{_escaped(value)}"'
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return route(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def request(pattern: Any, data: Any) -> dict[str, Any]:
    """Return a packet that asks for an answer."""
    # [RDS-041]
    return {"pattern": pattern, "data": data, "id": uuid.uuid4().hex[:21]}


def event(pattern: Any, data: Any) -> dict[str, Any]:
    """Return a packet that asks for none."""
    return {"pattern": pattern, "data": data}


def answer(id: Any, response: Any) -> dict[str, Any]:
    """Return a value of an answer; more follow."""
    return {"response": response, "id": id}


def last_answer(id: Any, response: Any) -> dict[str, Any]:
    """Return the last value of an answer."""
    # [RDS-042]
    return {"response": response, "isDisposed": True, "id": id}


def end(id: Any) -> dict[str, Any]:
    """Return the end of an answer whose values were sent."""
    return {"isDisposed": True, "id": id}


def failure(id: Any, error: Any) -> dict[str, Any]:
    """Return an error answer."""
    return {"err": error, "isDisposed": True, "id": id}
