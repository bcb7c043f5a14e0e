"""The words that all front ends of a carrier in Redis share: iterating, and the end of a block."""

from __future__ import annotations

from types import TracebackType
from typing import Generic, NoReturn, Self, TypeVar

from nodechannel.errors import ChannelClosed

Item = TypeVar("Item")


class Connected:
    """An object with connections of its own, which belongs to one process."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled: it belongs to one process")

    async def close(self) -> None:
        """Close the connections. Safe to call again."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Source(Connected, Generic[Item]):
    """Connections that items are received from."""

    async def receive(self, timeout: float | None = None) -> Item:
        """Return the next item; raises `TimeoutError` and `ChannelClosed`."""
        raise NotImplementedError

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        try:
            return await self.receive()
        except ChannelClosed:
            raise StopAsyncIteration from None
