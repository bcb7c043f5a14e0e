"""The messages of a recording for a person: the kind of each, its question, the rules that it breaks."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from channelkit.lint.handles import ACK, ENVELOPE, NACK
from channelkit.lint.linter import Linter
from channelkit.lint.sighting import Sighting, Stream, other
from channelkit.lint.violation import Violation
from channelkit.tap.record import DOWN, UP, Entry
from channelkit.wire.modes import of_mode
from channelkit.wire.values import show
from channelkit.wire.visible import visible

USER, INTERNAL, HANDLE, ANSWER, BAD, END, NOTE = "user", "internal", "handle", "answer", "bad", "end", "note"
"""Kinds of a message."""
TEXT = 200
"""Characters of a text."""
_QUESTIONS = {
    "NODE_SOCKET_COUNT": "NODE_SOCKET_GET_COUNT",
    "NODE_SOCKET_ALL_CLOSED": "NODE_SOCKET_NOTIFY_CLOSE",
}


@dataclass(slots=True)
class Message:
    """A line or arrow."""

    number: int
    time: int
    way: str
    kind: str
    text: str
    command: str = ""
    size: int = 0
    raw: bytes = b""
    descriptors: tuple[str, ...] = ()
    answers: int = -1
    """The number of the message that this message answers."""
    latency: int = -1
    """Microseconds from that message to this message."""
    violations: list[Violation] = field(default_factory=list)


class Messages:
    """Takes the entries of a recording; gives messages, each as soon as its last byte has passed.

    A violation that a later entry makes certain joins its message later.
    """

    def __init__(self, header: dict[str, object]) -> None:
        serialization = of_mode(str(header.get("mode") or ""))
        skip = isinstance(header.get("offsets"), dict)
        self._streams = {way: Stream(way, serialization, skip) for way in (DOWN, UP)}
        self._linter = Linter(header)
        self._number = 0
        self._entry = 0
        self._places: dict[tuple[str, int], Message] = {}
        """Messages by way and offset."""
        self._waiting: dict[tuple[str, object], deque[Message]] = {}
        """Messages that wait for an answer, by their way and the mark of the answer."""
        self.others = self._linter.begin()
        """Violations that belong to no message."""

    def add(self, entry: Entry) -> Iterator[Message]:
        """The messages that an entry completes."""
        made = list(self._made(entry))
        self._join(self._linter.add(entry))
        self._entry += 1
        yield from made

    def finish(self) -> None:
        """Joins the violations that the end makes certain."""
        self._join(self._linter.finish())

    def _join(self, violations: Iterable[Violation]) -> None:
        for found in violations:
            message = self._places.get((found.way, found.offset))
            if message is None:  # an answer that never came is the fault of the far side
                message = self._places.get((other(found.way), found.offset)) if found.data else None
            if message is not None:
                message.violations.append(found)
            else:
                self.others.append(found)

    def _made(self, entry: Entry) -> Iterator[Message]:
        if entry.note or entry.end:
            text = (
                entry.note
                or f"{'the child' if entry.way == UP else 'the parent'} {_ENDS.get(entry.end, entry.end)}"
            )
            yield self._new(entry.time, entry.way, NOTE if entry.note else END, text)
            return
        for seen in self._streams[entry.way].feed(self._entry, entry):
            yield self._of(seen)

    def _new(self, time: int, way: str, kind: str, text: str) -> Message:
        self._number += 1
        return Message(self._number - 1, time, way, kind, text)

    def _of(self, seen: Sighting) -> Message:
        command = seen.command
        made = self._new(seen.time, seen.way, _kind(seen, command), "")
        made.command, made.size, made.raw = command, len(seen.raw), seen.raw
        made.text = f"{seen.frame}"[:TEXT] if seen.frame.problem else show(seen.value, TEXT)
        made.descriptors = tuple(described(one) for _at, one in seen.descriptors)
        self._places[seen.way, seen.offset] = made
        self._pair(made, seen, command)
        return made

    def _pair(self, made: Message, seen: Sighting, command: str) -> None:
        if not command:
            return
        message = seen.value.get("msg") if command == ENVELOPE else seen.value
        number = message.get("seq") if isinstance(message, dict) else None
        asked: object = None
        if command in (ACK, NACK):
            asked = ENVELOPE
        elif command in _QUESTIONS:
            asked = _QUESTIONS[command], str(seen.value.get("key"))
        elif isinstance(message, dict) and isinstance(message.get("ack"), float | int):
            asked = "seq", message["ack"]
        waiting = self._waiting.get((other(seen.way), asked))
        if asked is not None and waiting:
            question = waiting.popleft()
            made.answers, made.latency = question.number, made.time - question.time
        if command == ENVELOPE:
            self._wait(seen.way, ENVELOPE, made)
        if isinstance(number, float | int):
            self._wait(seen.way, ("seq", number), made)
        if command in _QUESTIONS.values():
            self._wait(seen.way, (command, str(seen.value.get("key"))), made)

    def _wait(self, way: str, what: object, made: Message) -> None:
        self._waiting.setdefault((way, what), deque()).append(made)


_ENDS = {
    "closed": "closed its end",
    "half-closed": "ended its direction",
    "reset": "closed with bytes unread",
}


def _kind(seen: Sighting, command: str) -> str:
    if seen.frame.problem:
        return BAD
    if command == ENVELOPE:
        return HANDLE
    if command in (ACK, NACK):
        return ANSWER
    return INTERNAL if command else USER


def described(descriptor: dict[str, object]) -> str:
    """A descriptor in words."""
    words = [
        str(descriptor.get("kind")),
        *(str(descriptor[name]) for name in ("family", "local") if name in descriptor),
    ]
    if "peer" in descriptor:
        words.append(f"→ {descriptor['peer']}")
    if "inode" in descriptor:
        words.append(f"inode {descriptor['inode']}")
    return visible(" ".join(words))
