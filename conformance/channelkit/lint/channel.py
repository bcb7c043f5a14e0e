"""Chapters 10, 40, 60 and 70 as a recording shows them: the start of a channel, its kinds of messages, its end."""

from typing import Any

from channelkit.lint.check import Check, Report
from channelkit.lint.sighting import Sighting, other
from channelkit.lint.violation import Violation
from channelkit.tap.record import DOWN, PARENT_HOLDS_BOTH, UP

_KNOWN = frozenset(
    {
        *("NODE_HANDLE", "NODE_HANDLE_ACK", "NODE_HANDLE_NACK"),
        *("NODE_SOCKET_GET_COUNT", "NODE_SOCKET_COUNT", "NODE_SOCKET_NOTIFY_CLOSE", "NODE_SOCKET_ALL_CLOSED"),
        *("NODE_CLUSTER", "NODE_DEBUG_ENABLED"),
    }
)
"""Commands of Node."""
_MODES = ("json", "advanced")
_ON_ITS_WAY = 100_000
"""Microseconds that an end takes at least to follow the other one, however little patience is asked for."""
_STANDARD = 2
"""The last descriptor of a standard stream."""


class Start(Check):
    """The preparation by the parent, and the first bytes."""

    def __init__(self, report: Report, header: dict[str, Any]) -> None:
        super().__init__(report)
        self._header = header
        self._modes = [str(mode) for mode in header.get("modes", ())]
        self._spoke = False
        if header.get("part", 1) == 1:
            self._number([str(text) for text in header.get("number", ())])
            self._socket(header.get("socket"))
            self._mode()
            self._worker(header.get("worker"))

    def _say(self, rule: str, text: str, way: str = DOWN) -> None:
        self._report(Violation(rule, way, text, 0, 0, 0))

    def _number(self, numbers: list[str]) -> None:
        if len(numbers) > 1:
            self._say("BOO-013", f"NODE_CHANNEL_FD stands {len(numbers)} times in the environment")
        for text in numbers[-1:]:
            if not (text.isascii() and text.isdigit()) or (len(text) > 1 and text[0] == "0"):
                self._say("BOO-007", f"NODE_CHANNEL_FD is {text!r:.60}")
            elif int(text) <= _STANDARD:
                self._say("BOO-019", f"the channel is descriptor {text}, a standard stream")

    def _socket(self, found: dict[str, Any] | None) -> None:
        if found is None:
            self._say("BOO-012", "the number names no open socket")
            return
        if found["family"] != "AF_UNIX" or found["type"] != "SOCK_STREAM" or not found["connected"]:
            self._say(
                "BOO-011",
                f"the channel is no connected Unix stream socket: {found['family']} {found['type']}",
            )
        elif not found["blocking"]:
            self._say("BOO-015", "the child's end is in non-blocking mode")

    def _mode(self) -> None:
        if len(self._modes) > 1:
            self._say("BOO-013", "NODE_CHANNEL_SERIALIZATION_MODE stands twice in the environment")
        if not any(mode in _MODES for mode in self._modes):
            self._say("BOO-014", f"the mode is {self._modes[-1:] or 'absent'}")

    def _worker(self, text: str | None) -> None:
        if text is not None and not (text.isascii() and text.isdigit()):
            self._say("CLU-001", f"NODE_UNIQUE_ID is {text!r:.60}")

    def note(self, text: str) -> None:
        """The facts about the processes that the tap saw."""
        if text == PARENT_HOLDS_BOTH:
            self._say("BOO-008", "the parent holds the child's end after it has written")

    def frame(self, seen: Sighting) -> None:
        """Looks at the first frame of the child."""
        if seen.way != UP or self._spoke:
            return
        self._spoke = True
        mode = self._modes[-1] if self._modes else ""
        if mode and mode not in _MODES:
            self.broken("BOO-005", seen, f"a message on a channel of the unknown mode {mode!r:.40}")
        if not mode and seen.frame.problem and b"\xff" in seen.raw[:6]:
            self.broken("BOO-002", seen, "no line of JSON on a channel whose mode is absent")


class Classes(Check):
    """Internal messages that no chapter knows."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self._faulty: dict[str, int] = {DOWN: -1, UP: -1}
        """The last entry of each way in which a rule was broken."""

    def fault(self, found: Violation) -> None:
        """Notes a violation of another check."""
        self._faulty[found.way] = found.entry

    def frame(self, seen: Sighting) -> None:
        """Judges an internal message."""
        command = seen.command
        if not command or command in _KNOWN:
            return
        text = f"the internal message {command!r:.60}, which no chapter knows"
        self.broken("CLS-005", seen, text)
        self.broken("CLS-007", seen, text)
        if self._faulty[other(seen.way)] >= 0:
            self.broken("ERR-002", seen, f"{text}, after a violation of the other side")


class End(Check):
    """Half-closes and unfinished frames."""

    def __init__(self, report: Report, *, rest: str) -> None:
        """``rest`` is the rule about bytes that are no whole frame at the end."""
        super().__init__(report)
        self._rest = rest
        self._half: dict[str, Sighting] = {}
        self._closed: set[str] = set()

    def unfinished(self, seen: Sighting) -> None:
        """Bytes that were no whole frame when their writer closed."""
        self.broken(self._rest, seen, f"{len(seen.raw)} bytes without the end of a message, then the end")

    def over(self, seen: Sighting, how: str) -> None:
        """The writer of a way ended it; ``seen`` holds the place."""
        if how == "half-closed":
            self.broken("LIF-013", seen, "one direction is ended, the other is kept")
            self._half[seen.way] = seen
        else:
            half = self._half.get(other(seen.way))
            if half is not None and self.now - half.time >= max(self.patience, _ON_ITS_WAY):
                self._open(half)
            self._closed.update((DOWN, UP) if how == "closed" else (seen.way,))

    def finish(self) -> None:
        """Reports an end that stays open after the far end has closed."""
        for way, seen in self._half.items():
            if other(way) not in self._closed and self.late(seen):
                self._open(seen)

    def _open(self, half: Sighting) -> None:
        self.broken(
            "LIF-002", half, "the own end stays open after the end of the other side", by=other(half.way)
        )
