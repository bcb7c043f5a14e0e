"""Counting the sockets that were handed over, so that a server can tell how many of its connections live in further processes.

A `net.Socket` that came from a server carries the server's `key`. Its receiver counts the open sockets of each key, answers questions
about their number, and says when the last of them is closed. Its sender asks.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from nodechannel._handles.received import ReceivedHandle


class ReceivedSockets:
    """The receiver's side: the sockets of each key that are open in this process ([SLS] rules of the spec)."""

    __slots__ = ("_announce", "_open")

    def __init__(self) -> None:
        self._open: dict[str, int] = {}
        # Keys whose sender wants to be told when the last socket is closed.
        self._announce: dict[str, None] = {}

    def arrived(self, key: str, handle: ReceivedHandle, told: Callable[[], None]) -> None:
        """Count another open socket, which calls `told` when it is closed."""
        count = self._open.get(key, 0) + 1
        # [SLS-011] A single statement without a call: no exception of a signal handler separates the two.
        self._open[key], handle.on_closed = count, told

    def closed(self, key: str) -> bool:
        """Count down; return whether the sender has to be told now that all are closed."""
        self._open[key] -= 1
        # [SLS-015]
        return self._due(key)

    def count(self, key: str) -> int | None:
        """Return the number of open sockets, None for a key that was never seen, which gets no answer."""
        # [SLS-013, SLS-017]
        return self._open.get(key)

    def announce(self, key: str) -> bool:
        """The sender wants to know when all are closed; return whether it has to be told at once."""
        # [SLS-013]
        if key not in self._open:
            return False
        self._announce[key] = None
        return self._due(key)

    def _due(self, key: str) -> bool:
        # [SLS-016, SLS-020]
        if self._open[key] or key not in self._announce:
            return False
        del self._announce[key]
        return True


class Answer:
    """An answer of the peer that is waited for.

    Attributes:
        count: the number of open sockets, None as long as there is no answer.
    """

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count: int | None = None


class Questions:
    """The sender's side: questions that the peer has not answered. An answer names a key alone, so it answers all of that key."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending: dict[str, list[Answer]] = {}

    def ask(self, key: str, answer: Answer) -> None:
        """Note another question, and where its answer goes."""
        self._pending.setdefault(key, []).append(answer)

    def answered(self, key: str, count: int) -> None:
        """Fulfil every question about the key."""
        # [SLS-005]
        for answer in self._pending.get(key, ()):
            answer.count = count
        self._pending.pop(key, None)

    def give_up(self, key: str, answer: Answer) -> None:
        """Forget a question whose answer is not waited for any more."""
        asked = self._pending.get(key, [])
        if answer in asked:
            asked.remove(answer)
        if not asked:
            self._pending.pop(key, None)
