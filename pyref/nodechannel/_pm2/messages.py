"""The messages between a program and PM2's daemon."""

from __future__ import annotations

import platform
import time
from typing import Any

from nodechannel._dialects.faults import describe
from nodechannel.errors import LocalError

TYPE_CHECKING = False

READY = "ready"
SHUTDOWN = "shutdown"

# Events that the daemon itself takes in; each has a method of its own here.
_DAEMONS_OWN = ("axm:action", "axm:monitor", "axm:option:configuration", "axm:reply")


class UnsafeForPM2(LocalError):
    """The message would end PM2's daemon, and with it every program that it manages; no message was sent.

    Cause:
        The daemon of PM2 ends at `null`, at deep nesting and at huge messages, and takes some events for its own.

    Remedy:
        Send the value that the text of the error proposes, or use the method of `app` for that event.
    """

    code = "NC_UNSAFE_FOR_PM2"

    def __init__(self, reason: str) -> None:
        super().__init__(f"this message cannot be sent to PM2: {reason}")


def plain(message: object) -> object:
    """Return a message that reaches PM2's bus as `process:msg`; raises `UnsafeForPM2`.

    A dictionary with `type` and `data` is an event of that type for PM2.
    """
    if isinstance(message, dict) and message.get("type") and message.get("data"):
        _check_event(message["type"])
    return message


def event(type: str, data: object) -> dict[str, Any]:
    """Return an event for PM2's bus; raises `UnsafeForPM2`."""
    _check_event(type)
    if not data:
        raise UnsafeForPM2(f"PM2 takes an event only if its data is not empty, and {data!r} is")
    return {"type": type, "data": data}


def _check_event(type: object) -> None:
    if not isinstance(type, str) or not type:
        raise UnsafeForPM2(f"the type of an event is a text, not {type!r}")
    if "*" in type:
        raise UnsafeForPM2(
            f"{type!r} is a pattern, which reaches the daemon's own events too; leave out the asterisk"
        )
    if type in _DAEMONS_OWN:
        raise UnsafeForPM2(f"{type!r} belongs to the daemon; use metric(), action() or configure()")


def human_event(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return an event with a name of the program's own."""
    return {"type": "human:event", "data": {**data, "__name": name}}


def exception(error: BaseException, context: dict[str, Any]) -> dict[str, Any]:
    """Return the report of an exception."""
    name, message, stack = describe(error)
    return {
        "type": "process:exception",
        "data": {"message": message, "stack": stack, "name": name, "metadata": context},
    }


def version() -> dict[str, Any]:
    """Return the version of Python, which `pm2 describe` shows in the place of Node's."""
    return {"node_version": f"Python {platform.python_version()}"}


def configuration(options: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of this program for PM2's interfaces; raises `UnsafeForPM2`."""
    if not isinstance(options.get("name", ""), str):
        raise UnsafeForPM2(f"name= renames the program, so it is a text, not {options['name']!r}")
    return {"type": "axm:option:configuration", "data": {**options, "module_name": "nodechannel"}}


def monitor(values: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the values of metrics."""
    return {"type": "axm:monitor", "data": values}


def action(name: str, type: str, arity: int, comment: str | None) -> dict[str, Any]:
    """Return the announcement of an action; `arity` counts JavaScript's reply callback."""
    data: dict[str, Any] = {"action_name": name, "action_type": type, "arity": arity}
    if comment is not None:
        data["opts"] = {"comment": comment}
    return {"type": "axm:action", "data": data}


def reply(name: str, value: object) -> dict[str, Any]:
    """Return the reply to an action."""
    data = {"at": round(time.time() * 1000), "action_name": name, "return": value}
    return {"type": "axm:reply", "data": data}


def scoped(part: str, name: str, uuid: str, value: object) -> dict[str, Any]:
    """Return a part of the reply of an action that streams: `stream`, `error` or `end`."""
    return {
        "type": f"axm:scoped_action:{part}",
        "data": {"data": value, "uuid": uuid, "action_name": name},
    }
