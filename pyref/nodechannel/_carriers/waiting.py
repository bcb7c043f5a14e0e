"""Waiting for a condition within a limit of time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from nodechannel._io.limits import seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from nodechannel._aio.wakeup import Waiters


async def wait_until(waiters: Waiters, done: Callable[[], bool], timeout: float | None) -> bool:
    """Wait until `done` or until `timeout` seconds passed; return whether the condition holds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds(timeout)):
            while not done():
                await waiters.until(done)
    return done()
