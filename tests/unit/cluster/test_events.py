"""The events of a cluster."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from nodechannel._cluster.events import Announcer, Event, report


def run(function):
    """Run a function in an event loop; return the errors that reached the exception handler."""
    found = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: found.append(context))
        function()
        await asyncio.sleep(0)

    asyncio.run(main())
    return found


@pytest.mark.parametrize("error", [ValueError("mine"), BrokenPipeError(), RecursionError(), StopIteration()])
def test_an_on_event_that_raises_is_reported_and_gets_the_next_event(error):
    seen: list[Any] = []

    def on_event(event):
        seen.append(event)
        raise error

    def act():
        announcer = Announcer(on_event)
        announcer.tell("fork", 1, 4321)
        announcer.tell_soon("online", 1, None)

    found = run(act)
    assert seen == [Event("fork", 1, 4321), Event("online", 1, None)]
    assert [context["exception"] for context in found] == [error, error]


def test_events_keep_their_order():
    seen: list[Any] = []

    def act():
        announcer = Announcer(seen.append)
        announcer.tell_soon("online", 1, None)
        assert seen == []
        announcer.tell("exit", 1, 0)

    run(act)
    assert [event.kind for event in seen] == ["online", "exit"]


def test_an_event_that_on_event_causes_comes_after_it():
    seen: list[Any] = []

    def on_event(event):
        if event.kind == "fork":
            announcer.tell("exit", 1, 0)
        seen.append(event.kind)

    announcer = Announcer(on_event)
    run(lambda: announcer.tell("fork", 1, 0))
    assert seen == ["fork", "exit"]


def test_without_on_event_an_error_goes_to_the_exception_handler():
    error = OSError("full")

    def act():
        announcer = Announcer(None)
        announcer.tell("fork", 1, 0)
        announcer.tell("error", 1, error)

    assert [context["exception"] for context in run(act)] == [error]


def test_an_exception_handler_that_raises_is_the_end_of_the_report():
    class Closed(logging.Handler):
        def emit(self, record):
            raise ValueError("I/O operation on closed file")

    logger, handler = logging.getLogger("asyncio"), Closed()
    logger.addHandler(handler)
    try:

        async def main():
            report("x", ValueError())

        asyncio.run(main())
    finally:
        logger.removeHandler(handler)
