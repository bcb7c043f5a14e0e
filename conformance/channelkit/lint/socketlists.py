"""Chapter 55 as a recording shows it: questions about connections, and their answers."""

from typing import Any

from channelkit.lint.check import Check, Report
from channelkit.lint.handles import ENVELOPE
from channelkit.lint.sighting import Sighting, command_of, other
from channelkit.tap.record import DOWN, UP

ASK, COUNT = "NODE_SOCKET_GET_COUNT", "NODE_SOCKET_COUNT"
ANNOUNCE, CLOSED = "NODE_SOCKET_NOTIFY_CLOSE", "NODE_SOCKET_ALL_CLOSED"


class _Key:
    """A key between its sender and its receiver."""

    def __init__(self) -> None:
        self.sent = 0
        """Connections that were sent under it."""
        self.questions: list[Sighting] = []
        self.announcements: list[Sighting] = []
        self.spent = False
        """An announcement was answered."""
        self.at_close = -1
        """Connections that were sent when all were closed; -1 before."""
        self.empty_at = -1
        """Connections that were sent when a count was 0; -1 before."""


class SocketLists(Check):
    """Both sides as senders of connections."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self._keys: dict[str, dict[str, _Key]] = {DOWN: {}, UP: {}}
        self._nameless: dict[str, list[Sighting]] = {DOWN: [], UP: []}
        """Questions whose key is missing or no text."""

    def frame(self, seen: Sighting) -> None:
        """Judges a frame."""
        command = seen.command
        if command == ENVELOPE:
            self._connection(seen)
        elif command in (ASK, ANNOUNCE):
            self._question(seen, seen.value.get("key"), asks=command == ASK)
        elif command in (COUNT, CLOSED):
            self._answer(seen, seen.value.get("key"), counts=command == COUNT)

    def _connection(self, seen: Sighting) -> None:
        envelope = seen.value
        while command_of(envelope.get("msg")) == ENVELOPE:
            envelope = envelope["msg"]
        key = envelope.get("key")
        if isinstance(key, str) and seen.descriptors and envelope.get("type") == "net.Socket":
            self._keys[seen.way].setdefault(key, _Key()).sent += 1

    def _question(self, seen: Sighting, key: Any, *, asks: bool) -> None:
        if not isinstance(key, str):
            self._nameless[seen.way].append(seen)
            self.broken("SLS-002", seen, "a question whose key is no text")
            return
        keys = self._keys[seen.way]
        if key not in keys:
            if keys:
                self.broken(
                    "SLS-002", seen, f"a question about the key {key!r:.80} instead of one that was sent"
                )
            self.broken(
                "SLS-001", seen, f"a question about the key {key!r:.80}, with which no connection was sent"
            )
        known = keys.setdefault(key, _Key())
        (known.questions if asks else known.announcements).append(seen)

    def _answer(self, seen: Sighting, key: Any, *, counts: bool) -> None:
        way = other(seen.way)
        known = self._keys[way].get(key) if isinstance(key, str) else None
        if known is None:
            self._foreign(seen, way, key)
        elif counts:
            self._count(seen, known, key)
        else:
            self._closed(seen, known)

    def _foreign(self, seen: Sighting, way: str, key: Any) -> None:
        """An answer about a key that no envelope used."""
        open_questions = any(one.questions or one.announcements for one in self._keys[way].values())
        if self._nameless[way]:
            self.broken("SLS-018", seen, "an answer to a question without a key")
        elif open_questions:
            self.broken(
                "SLS-012", seen, f"an answer with the key {key!r:.80}, which is not that of the question"
            )
        else:
            self.broken("SLS-013", seen, f"an answer about the key {key!r:.80}, which never came")

    def _count(self, seen: Sighting, known: _Key, key: str) -> None:
        if not known.sent:
            self.broken("SLS-013", seen, f"an answer about the key {key!r:.80}, which never came")
        count = seen.value.get("count")
        whole = (
            isinstance(count, float | int)
            and not isinstance(count, bool)
            and count == count // 1
            and count >= 0
        )
        if not whole:
            self.broken("SLS-011", seen, f"the count {count!r:.40}")
        elif known.sent and count > known.sent:
            self.broken("SLS-011", seen, f"{count:.0f} connections of {known.sent} that came")
        elif count and known.at_close == known.sent:
            self.broken("SLS-016", seen, "connections are open after all were called closed")
        elif not count:
            known.empty_at = known.sent
        if known.questions:
            known.questions.pop(0)
        else:
            self.broken("SLS-012", seen, "a count that nobody asked for")

    def _closed(self, seen: Sighting, known: _Key) -> None:
        if not known.sent:
            self.broken("SLS-013", seen, "an answer about a key that never came")
        if known.announcements:
            known.announcements.pop(0)
            known.spent = True
            known.at_close = known.sent
        elif known.spent:
            self.broken("SLS-020", seen, "an announcement is answered twice")
        else:
            self.broken("SLS-020", seen, "all connections are called closed, and nobody announced a close")

    def finish(self) -> None:
        """Reports questions without an answer."""
        for way, keys in self._keys.items():
            for known in keys.values():
                if not known.sent:
                    continue
                for seen in filter(self.late, known.questions):
                    self.broken(
                        "SLS-010", seen, "no answer to a question in a second and more", by=other(way)
                    )
                if known.empty_at == known.sent:
                    for seen in filter(self.late, known.announcements):
                        self.broken(
                            "SLS-014",
                            seen,
                            "no answer to an announcement although nothing is open",
                            by=other(way),
                        )
