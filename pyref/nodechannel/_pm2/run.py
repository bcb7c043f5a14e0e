"""A call of an action, from the function to its last reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from nodechannel._dialects.calls import call
from nodechannel._dialects.faults import describe
from nodechannel._pm2 import messages

if TYPE_CHECKING:
    from nodechannel._pm2.registry import Called

    Send = Callable[[dict[str, Any]], Awaitable[object]]


async def answer(called: Called, send: Send) -> None:
    """Carry out a call and send its replies; a reply that JSON cannot carry is replaced by the error."""
    name, uuid = called.action.name, called.uuid
    if called.action.streams and uuid is not None:
        part = "end"
        try:
            value = await call(
                called.action.function,
                *called.args,
                emit=lambda item: send(messages.scoped("stream", name, uuid, item)),
            )
        except Exception as error:
            part, value = "error", _fault(error)
        await send(messages.scoped(part, name, uuid, value))
        return
    items: list[Any] = []
    try:
        value = await call(called.action.function, *called.args, emit=items.append)
        await send(messages.reply(name, items if called.action.streams else value))
    except Exception as error:
        await send(messages.reply(name, _fault(error)))


def _fault(error: Exception) -> dict[str, str]:
    name, message, stack = describe(error)
    return {"error": message or name, "name": name, "stack": stack}
