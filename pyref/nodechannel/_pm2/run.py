"""A call of an action, from the function to its last reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from nodechannel._dialects.calls import call
from nodechannel._dialects.faults import describe
from nodechannel._pm2 import messages

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from nodechannel._pm2.registry import Called

    Send = Callable[[dict[str, Any]], Awaitable[object]]


async def answer(called: Called, send: Send, executor: Executor | None = None) -> None:
    """Carry out a call and send its replies; a reply that JSON cannot carry is replaced by the error.

    A function that wants to end the program has its reply first.
    """
    action, uuid = called.action, called.uuid
    items: list[Any] = []
    stream = uuid is not None and action.streams

    async def emit(item: Any) -> None:
        await send(messages.scoped("stream", action.name, uuid or "", item))

    def reply(value: Any, part: str = "end") -> dict[str, Any]:
        return (
            messages.scoped(part, action.name, uuid or "", value)
            if stream
            else messages.reply(action.name, value)
        )

    try:
        value = await call(
            action.function, *called.args, emit=emit if stream else items.append, executor=executor
        )
        await send(reply(items if action.streams and not stream else value))
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        await send(reply(_fault(error), "error"))
        if not isinstance(error, Exception):
            raise


def _fault(error: BaseException) -> dict[str, str]:
    name, message, stack = describe(error)
    return {"error": message or name, "name": name, "stack": stack}
