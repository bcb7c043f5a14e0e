"""The blocking front end of `rsmq`."""

from __future__ import annotations

import asyncio

from nodechannel._redis.blocking import Source
from nodechannel._rsmq import queue as aio
from nodechannel._rsmq import rules
from nodechannel._rsmq.queue import Attributes, Message


class Queue(Source[Message]):
    """A queue of `rsmq`. Made by `queue`; as a context manager it closes its connections at the end of the block."""

    def create(
        self,
        vt: int = rules.DEFAULT_VT,
        delay: int = rules.DEFAULT_DELAY,
        maxsize: int = rules.DEFAULT_MAXSIZE,
    ) -> None:
        """Make the queue; raises `QueueError` queueExists and invalidValue. For the values see `Attributes`."""
        self._wait(self._inner.create(vt, delay, maxsize), "create")

    def drop(self) -> None:
        """Remove the queue with all its messages; raises `QueueError` queueNotFound."""
        self._wait(self._inner.drop(), "drop")

    def attributes(self) -> Attributes:
        """Return the attributes of the queue; raises `QueueError` queueNotFound."""
        found: Attributes = self._wait(self._inner.attributes(), "use")
        return found

    def set_attributes(
        self, vt: int | None = None, delay: int | None = None, maxsize: int | None = None
    ) -> Attributes:
        """Set some attributes; return all. Raises `QueueError` noAttributeSupplied, invalidValue and queueNotFound."""
        found: Attributes = self._wait(self._inner.set_attributes(vt, delay, maxsize), "use")
        return found

    def send(self, message: str, *, delay: int | None = None, timeout: float | None = None) -> str:
        """Append a message; return its id.

        Raises `QueueError` messageNotString, messageTooLong, invalidValue and queueNotFound, `TimeoutError`, and `ConnectionLost` when the
        answer was lost, after which the message may be there.
        """
        return str(self._wait(self._inner.send(message, delay=delay, timeout=timeout), "send"))

    def receive(self, timeout: float | None = None, *, vt: int | None = None) -> Message:
        """Return the next message, and hide it for `vt` seconds; it comes again unless it is deleted by then.

        While Redis cannot be reached this tries again. Raises `QueueError` queueNotFound and invalidValue, `TimeoutError` after `timeout`
        seconds, and `ChannelClosed`.
        """
        found: Message = self._wait(self._inner.receive(timeout, vt=vt), "receive")
        return found

    def pop(self, timeout: float | None = None) -> Message:
        """Return the next message, and delete it: it is lost if this process dies now. Raises the errors of `receive`."""
        found: Message = self._wait(self._inner.pop(timeout), "receive")
        return found

    def delete(self, id: str) -> bool:
        """Delete a message; return whether it was there. Raises `QueueError` invalidFormat."""
        return bool(self._wait(self._inner.delete(id), "delete"))

    def change_visibility(self, id: str, vt: int) -> bool:
        """Let a message come again in `vt` seconds from now; return whether it was there. Raises `QueueError`."""
        return bool(self._wait(self._inner.change_visibility(id, vt), "use"))


def queue(url: str, name: str, *, ns: str = "rsmq", realtime: bool = False) -> Queue:
    """Open a queue of `rsmq` by its name; see the asyncio `queue`. Raises `QueueError` invalidFormat."""
    return Queue(aio.queue(url, name, ns=ns, realtime=realtime))


def list_queues(url: str, *, ns: str = "rsmq") -> list[str]:
    """Return the names of all queues; raises `ConnectionLost`."""
    return asyncio.run(aio.list_queues(url, ns=ns))
