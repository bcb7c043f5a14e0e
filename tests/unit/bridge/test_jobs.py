"""A message from a carrier, and the way back for its answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nodechannel._bridge.jobs import Job, Source, nothing
from nodechannel._bridge.sources import NodeIpcSource, RedisSource, StdioSource


@pytest.mark.parametrize("source", [NodeIpcSource, RedisSource, StdioSource])
def test_every_source_has_the_words_of_a_source(source):
    words = {name for name in vars(Source) if not name.startswith("_")}
    assert words == {"receive", "close"}
    assert all(callable(getattr(source, word)) for word in words)


def test_a_message_without_a_sign_of_life_renews_nothing():
    answered: list[Any] = []

    async def answer(value: Any) -> None:
        answered.append(value)

    async def main() -> None:
        job = Job(1, answer, nothing)
        await job.renew()
        await job.answer(job.data)

    asyncio.run(main())
    assert answered == [1]
