"""Waiting for a condition within a limit of time."""

from __future__ import annotations

import asyncio
import math

import pytest

from nodechannel._aio.wakeup import Waiters
from nodechannel._carriers.waiting import wait_until


def test_a_condition_is_looked_at_before_and_behind_the_limit():
    async def main() -> None:
        waiters = Waiters(asyncio.get_running_loop())
        true: list[bool] = []
        assert not await wait_until(waiters, lambda: bool(true), 0)
        waiting = asyncio.ensure_future(wait_until(waiters, lambda: bool(true), 20))
        await asyncio.sleep(0)
        waiters.wake_all_soon()
        await asyncio.sleep(0.01)
        assert not waiting.done()
        true.append(True)
        waiters.wake_all_soon()
        assert await waiting
        assert await wait_until(waiters, lambda: bool(true), 0)
        with pytest.raises(ValueError, match="NaN"):
            await wait_until(waiters, lambda: False, math.nan)

    asyncio.run(main())
