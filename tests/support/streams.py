"""Both front ends of `nodechannel.stdio` behind the same words."""

from __future__ import annotations

from typing import Any

from nodechannel import stdio
from nodechannel.stdio import asyncio as aio
from support.frontends import Asyncio, Blocking, Synchronous


class BlockingStreams(Blocking):
    """The blocking front end, as it is."""

    fork = staticmethod(stdio.fork)  # type: ignore[assignment]
    spawn = staticmethod(stdio.spawn)  # type: ignore[assignment]


class AsyncioStreams(Asyncio):
    """The asyncio front end, seen through a loop in another thread."""

    def fork(self, *args: Any, **options: Any) -> Any:
        return Synchronous(self, self.run(aio.fork(*args, **options)))

    def spawn(self, *args: Any, **options: Any) -> Any:
        return Synchronous(self, self.run(aio.spawn(*args, **options)))
