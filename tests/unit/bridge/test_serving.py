"""Jobs of a carrier to children."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from nodechannel import errors
from nodechannel._bridge.jobs import Job, nothing
from nodechannel._bridge.serving import Bridge
from support.answering import COMMAND


class Jobs:
    """A source with a few messages."""

    pace = 0.01

    def __init__(self, *messages: Any) -> None:
        self.messages = list(messages)
        self.answers: list[Any] = []
        self.renewed = 0
        self.closed = False

    async def receive(self) -> Job:
        if not self.messages:
            raise errors.ChannelClosed("receive")
        message = self.messages.pop(0)
        if message is asyncio.Event:
            await asyncio.sleep(60)
        if isinstance(message, Exception):
            raise message

        async def answer(value: Any) -> None:
            self.answers.append(value)

        async def renew() -> None:
            self.renewed += 1

        return Job(message, answer, renew if message == "slow" else nothing)

    async def close(self) -> None:
        self.closed = True


def serve(source: Jobs, *, children: int = 1, timeout: float = 20, act: Any = None) -> list[str]:
    """Serve a source to its end; return the reports of the bridge."""
    told: list[str] = []

    async def main() -> None:
        bridge = Bridge(source, COMMAND, children, timeout, 0.1, told.append)
        serving = asyncio.ensure_future(bridge.serve())
        if act is not None:
            await act(bridge)
        await serving

    asyncio.run(main())
    assert source.closed
    return told


def test_children_answer_in_turn():
    source = Jobs(*range(20))
    assert serve(source, children=2) == []
    assert sorted(answer for answer, _ in source.answers) == list(range(20))


def test_faults_cost_their_own_message_alone(monkeypatch):
    monkeypatch.setattr("nodechannel._bridge.serving.PAUSE", 0)
    source = Jobs(errors.InvalidJson("odd", b"x"), {1}, "die", 5)
    told = serve(source)
    assert [text.split(":")[0] for text in told] == [
        "a message was skipped",
        "a message has no answer",
        "the child gave no answer",
    ]
    assert [answer for answer, _ in source.answers] == [5]


def test_a_stop_cancels_the_reading_and_gives_up_what_hangs():
    async def act(bridge: Bridge) -> None:
        await asyncio.sleep(0.3)
        bridge.stop()
        await asyncio.sleep(0)
        bridge.stop()

    source = Jobs("hang", asyncio.Event, 1)
    start = time.monotonic()
    serve(source, children=2, act=act)
    assert time.monotonic() - start < 20
    assert source.answers == []


def test_a_message_that_takes_long_is_renewed():
    slow = [*COMMAND[:2], COMMAND[2].replace("channel.send(", "time.sleep(0.2); channel.send(")]

    async def main(source: Jobs) -> None:
        await Bridge(source, slow, 1, 20, 1, print).serve()

    source = Jobs("slow")
    asyncio.run(main(source))
    assert source.renewed > 2


def test_a_command_that_cannot_be_started_ends_the_bridge():
    async def main() -> None:
        await Bridge(Jobs(1), ["/absent/command"], 2, None, 1, print).serve()

    with pytest.raises(FileNotFoundError):
        asyncio.run(main())
