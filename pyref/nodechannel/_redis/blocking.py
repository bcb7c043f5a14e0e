"""The blocking front ends: the connections live in an event loop of their own thread."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Generic, Self, TypeVar, Unpack

from nodechannel._carriers.blocking import Closing
from nodechannel._redis import channels as aio_channels
from nodechannel._redis import lists as aio_lists
from nodechannel._redis import streams as aio_streams
from nodechannel._redis.channels import Published
from nodechannel._redis.entries import Entry
from nodechannel._redis.lists import ListOptions
from nodechannel._redis.streams import StreamOptions
from nodechannel.errors import ChannelClosed

Item = TypeVar("Item")


class Source(Closing, Generic[Item]):
    """The common part of the blocking front ends: items that are received, and an end.

    As a context manager it closes its connections at the end of the block. It may be used from several threads.
    """

    def __init__(self, make: Coroutine[Any, Any, Any]) -> None:
        super().__init__("nodechannel.redis", make)

    def receive(self, timeout: float | None = None) -> Item:
        """Return the next item; raises the errors of the asyncio front end."""
        item: Item = self._wait(self._inner.receive(timeout), "receive")
        return item

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        try:
            return self.receive()
        except ChannelClosed:
            raise StopIteration from None


class Stream(Source[Entry]):
    """A stream of messages with a consumer group. Made by `stream`.

    Messages that were received and not acknowledged go to another consumer after `claim_after` seconds.
    """

    @property
    def pending(self) -> int:
        """The number of messages that were read already: so many calls of `receive` do not wait."""
        return int(self._inner.pending)

    def send(self, data: Any, *, id: str | None = None, timeout: float | None = None) -> str:
        """Append a message; return its `message_id` once Redis has it: `id`, or a random number.

        While Redis cannot be reached this tries again. A message whose answer was lost is there twice then, with the same id. Raises
        `InvalidMessage`, `TimeoutError` after `timeout` seconds, `RedisRefused` and `ChannelClosed`.
        """
        return str(self._wait(self._inner.send(data, id=id, timeout=timeout), "send"))

    def send_many(self, messages: Iterable[Any], *, timeout: float | None = None) -> list[str]:
        """Append many messages in a single exchange; raises the errors of `send`, and after `InvalidMessage` no message was sent."""
        return list(self._wait(self._inner.send_many(list(messages), timeout=timeout), "send"))

    def receive_many(self, timeout: float | None = None) -> list[Entry]:
        """Return all messages that have been read, at least one; raises the errors of `receive`."""
        return list(self._wait(self._inner.receive_many(timeout), "receive"))

    def acknowledge(self, *entries: Entry, timeout: float | None = None) -> None:
        """Note that messages are done with, so that they do not come again."""
        self._wait(self._inner.acknowledge(*entries, timeout=timeout), "acknowledge")

    def renew(self, *entries: Entry, timeout: float | None = None) -> None:
        """Keep messages that take long: `claim_after` begins anew for them."""
        self._wait(self._inner.renew(*entries, timeout=timeout), "renew")


class Queue(Source[Entry]):
    """A list as a queue: sent on its left, received on its right. Made by `queue`."""

    def send(self, data: Any, *, timeout: float | None = None) -> int:
        """Append a message; return the length of the list.

        Raises `InvalidMessage`, `TimeoutError` after `timeout` seconds, `RedisRefused` and `ChannelClosed`; and `ConnectionLost` when
        the answer was lost, after which the message may be there.
        """
        return int(self._wait(self._inner.send(data, timeout=timeout), "send"))

    def acknowledge(self, *entries: Entry, timeout: float | None = None) -> None:
        """Remove messages that are done with from the list of this consumer."""
        self._wait(self._inner.acknowledge(*entries, timeout=timeout), "acknowledge")


class Channels(Source[Published]):
    """Channels to listen to and to send to. Made by `channels`."""

    def send(self, channel: str, data: Any, *, timeout: float | None = None) -> int:
        """Publish a message; return how many connections it reached, which may be none.

        Raises `InvalidMessage`, `TimeoutError`, `RedisRefused`, `ChannelClosed`, and `ConnectionLost` when the answer was lost.
        """
        return int(self._wait(self._inner.send(channel, data, timeout=timeout), "send"))

    def send_many(self, channel: str, messages: Iterable[Any], *, timeout: float | None = None) -> list[int]:
        """Publish many messages in a single exchange; return for each how many connections it reached. Raises the errors of `send`."""
        return list(self._wait(self._inner.send_many(channel, list(messages), timeout=timeout), "send"))


def stream(url: str, key: str, **options: Unpack[StreamOptions]) -> Stream:
    """Open a Redis stream; for the options see `StreamOptions`. Redis need not be there yet."""
    return Stream(aio_streams.stream(url, key, **options))


def queue(url: str, key: str, **options: Unpack[ListOptions]) -> Queue:
    """Open a list as a queue; for the options see `ListOptions`. Redis need not be there yet."""
    return Queue(aio_lists.queue(url, key, **options))


def channels(url: str, *names: str, patterns: Sequence[str] = (), retry: float = 0.05) -> Channels:
    """Listen to channels of Redis by their names and patterns; with neither the object can send alone.

    Returns once Redis confirms.
    """
    return Channels(aio_channels.channels(url, *names, patterns=patterns, retry=retry))
