"""One call of an action and its replies."""

from __future__ import annotations

import asyncio
from typing import Any

from nodechannel._pm2.registry import Action, Called
from nodechannel._pm2.run import answer
from nodechannel.errors import InvalidMessage


def stream() -> Any:
    yield 1
    yield 2
    return "end"


def fails() -> None:
    raise ValueError("no")


def replies(
    function: Any, *args: Any, uuid: str | None = None, streams: bool = False
) -> list[tuple[str, Any]]:
    """Carry out a call; return the types and values of the replies."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        if message["data"].get("return") is ...:
            raise InvalidMessage("no JSON")
        sent.append(message)

    asyncio.run(answer(Called(Action("a", function, bool(args), streams), args, uuid), send))
    return [(m["type"].rpartition(":")[2], m["data"].get("return", m["data"].get("data"))) for m in sent]


def test_the_result_is_the_reply():
    assert replies(lambda path: path * 2, "x") == [("reply", "xx")]


def test_an_exception_is_replied_with_its_traceback():
    ((kind, value),) = replies(fails)
    assert (kind, value["error"], value["name"]) == ("reply", "no", "ValueError")
    assert "in fails" in value["stack"]


def test_a_result_that_json_cannot_carry_is_replaced_by_the_error():
    ((_, value),) = replies(lambda: ...)
    assert value["name"] == "InvalidMessage"


def test_a_stream_goes_item_by_item_to_a_caller_that_takes_one():
    assert replies(stream, uuid="u", streams=True) == [("stream", 1), ("stream", 2), ("end", "end")]
    assert replies(stream, streams=True) == [("reply", [1, 2])]


def test_a_stream_that_fails_ends_with_the_error():
    def broken() -> Any:
        yield 1
        raise ValueError("no")

    first, (kind, value) = replies(broken, uuid="u", streams=True)
    assert (first, kind, value["error"]) == (("stream", 1), "error", "no")
