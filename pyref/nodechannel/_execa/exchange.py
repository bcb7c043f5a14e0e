"""The messages of execa's methods: strict sending, its deadlock rule, and graceful cancel. Without I/O."""

from __future__ import annotations

import itertools
from collections import deque
from typing import Any

from nodechannel.errors import ChannelClosed, ChannelError

REQUEST = "execa:ipc:request"
RESPONSE = "execa:ipc:response"
CANCEL = "execa:ipc:cancel"


class NotListening(ChannelError):
    """A strict message arrived, but the remote side was not listening; it was dropped there.

    Cause:
        The other side calls `getOneMessage` or `getEachMessage` too late.

    Remedy:
        Let it listen first, and then ask for the message.
    """

    code = "NC_NOT_LISTENING"

    def __init__(self) -> None:
        super().__init__(
            "the remote side is not listening; it has to call getOneMessage() or getEachMessage() before this message is sent"
        )


class Deadlock(ChannelError):
    """Both sides sent a strict message and neither listens, so neither would get its acknowledgement.

    Cause:
        Each side waits for an acknowledgement that only a listening side gives.

    Remedy:
        Receive in a second task or thread while a strict message is sent.
    """

    code = "NC_DEADLOCK"

    def __init__(self) -> None:
        super().__init__(
            "the remote side sends a message too, and neither side listens; listen and send at the same time, for example in two tasks"
        )


class Cancelled(ChannelError):
    """The parent cancelled this program by execa's `cancelSignal`.

    Attributes:
        reason: the parent's reason, as it arrived.

    Cause:
        The parent's `AbortController` was aborted.

    Remedy:
        Clean up and end; nothing is wrong.
    """

    code = "NC_CANCELLED"

    def __init__(self, reason: object = None) -> None:
        text = reason.get("message") if isinstance(reason, dict) else reason
        super().__init__(f"cancelled by the parent: {text}" if text else "cancelled by the parent")
        self.reason: object = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reason,)


class Sent:
    """A strict message that waits for its acknowledgement; `error` is None once it is `done` in good order."""

    def __init__(self) -> None:
        self.done = False
        self.error: ChannelError | None = None

    def finish(self, error: ChannelError | None = None) -> None:
        """Note the outcome; the first one counts."""
        if not self.done:
            self.done, self.error = True, error


class Exchange:
    """The state of an end.

    After each call, write `replies` and hand `delivered` to the listeners.

    Attributes:
        replies: messages to be written.
        delivered: messages for the listeners, in order.
        listeners: how many listen.
        cancelled: the wish of the parent to cancel, or None.
    """

    def __init__(self) -> None:
        self.replies: deque[Any] = deque()
        self.delivered: deque[Any] = deque()
        self.listeners = 0
        self.cancelled: Cancelled | None = None
        # Messages of a listener that left, which no other has seen, and behind them the messages that nothing was done about.
        self._kept: deque[Any] = deque()
        self._incoming: deque[Any] = deque()
        self._sent: dict[Any, Sent] = {}
        self._ids = itertools.count()

    def wrap(self, message: Any) -> tuple[dict[str, Any], Sent]:
        """Return the envelope of a strict message, and the object that gets its outcome."""
        id = next(self._ids)
        sent = self._sent[id] = Sent()
        envelope = {"id": id, "type": REQUEST, "message": message, "hasListeners": self.listeners > 0}
        return envelope, sent

    def forget(self, sent: Sent) -> None:
        """Stop waiting for an acknowledgement."""
        self._sent = {id: known for id, known in self._sent.items() if known is not sent}
        self.settle()

    def receive(self, data: Any) -> None:
        """Take a message of the channel."""
        kind = data.get("type") if isinstance(data, dict) else None
        if kind == RESPONSE:
            id = data.get("id")
            sent = self._sent.pop(id, None) if isinstance(id, int) else None
            if sent is not None:
                sent.finish(None if data.get("message") else NotListening())
        elif kind == CANCEL:
            self.cancelled = self.cancelled or Cancelled(data.get("message"))
        else:
            self._incoming.append(data)
        self.settle()

    def keep(self, messages: list[Any]) -> None:
        """Keep messages for the next listener; they are acknowledged already."""
        self._kept.extend(messages)

    def settle(self) -> None:
        """Acknowledge and deliver messages. Without a listener they wait while a strict message of this side is under way."""
        if self.listeners:
            self.delivered.extend(self._kept)
            self._kept.clear()
        while self._incoming:
            data = self._incoming[0]
            strict = isinstance(data, dict) and data.get("type") == REQUEST
            if not self.listeners and self._sent:
                if not strict or data.get("hasListeners"):
                    return
                for sent in self._sent.values():
                    sent.finish(Deadlock())
                self._sent.clear()
            if not strict:
                if not self.listeners:  # kept until there is one
                    return
                self.delivered.append(self._incoming.popleft())
                continue
            self._incoming.popleft()
            listening = self.listeners > 0
            self.replies.append({"id": data.get("id"), "type": RESPONSE, "message": listening})
            if listening:
                self.delivered.append(data.get("message"))

    def end(self) -> None:
        """The channel has ended."""
        for sent in self._sent.values():
            sent.finish(ChannelClosed("wait until the message is received"))
        self._sent.clear()
        self.cancelled = self.cancelled or Cancelled("the parent disconnected")
