"""A recording against the rules, entry by entry."""

from collections.abc import Iterable, Iterator

from channelkit.lint.channel import Classes, End, Start
from channelkit.lint.check import PATIENCE, Check
from channelkit.lint.clusters import Clusters
from channelkit.lint.frames import Frames
from channelkit.lint.handles import Handles
from channelkit.lint.lines import Lines
from channelkit.lint.sighting import Sighting, Stream
from channelkit.lint.socketlists import SocketLists
from channelkit.lint.violation import Violation
from channelkit.tap.record import DOWN, UP, Entry
from channelkit.wire.modes import of_mode
from channelkit.wire.serialization import Frame


class Linter:
    """Takes the entries of a recording; gives violations as soon as they are certain."""

    def __init__(self, header: dict[str, object], patience: int = PATIENCE) -> None:
        """``patience`` is in microseconds."""
        serialization = of_mode(str(header.get("mode") or ""))
        offsets = header.get("offsets")
        skip = isinstance(offsets, dict)
        self._streams = {way: Stream(way, serialization, skip) for way in (DOWN, UP)}
        self._found: list[Violation] = []
        self._start = Start(self._report, header)
        self._classes = Classes(self._report)
        self._end = End(self._report, rest="FRM-003" if serialization.mode == "json" else "ADV-001")
        self._frames = Frames(self._report) if serialization.mode == "advanced" else None
        self._clusters = Clusters(self._report, header)
        self._checks = checks(self._start, self._frames or Lines(self._report), self._end)
        self._of_messages = checks(
            Handles(self._report), SocketLists(self._report), self._clusters, self._classes
        )
        self._all = (*self._checks, *self._of_messages)
        for check in self._all:
            check.patience = patience
        self._number = 0
        self._over_at: set[str] = set()
        """Ways that have ended."""

    def _report(self, found: Violation) -> None:
        self._found.append(found)

    def _taken(self) -> list[Violation]:
        found, self._found = self._found, []
        for one in found:
            self._classes.fault(one)
        return found

    def begin(self) -> list[Violation]:
        """The violations that the header shows."""
        return self._taken()

    def add(self, entry: Entry) -> list[Violation]:
        """The violations that an entry makes certain."""
        for check in self._all:
            check.now = entry.time
        if entry.note:
            self._start.note(entry.note)
        elif entry.end:
            self._over(entry)
        else:
            if self._frames is not None:
                self._frames.entry(entry)
            for seen in self._streams[entry.way].feed(self._number, entry):
                self._judge(seen)
        self._number += 1
        return self._taken()

    def _judge(self, seen: Sighting) -> None:
        for check in self._checks:
            check.frame(seen)
        if seen.frame.problem:
            return
        for check in self._of_messages:
            check.frame(seen)

    def _rest(self, way: str) -> Sighting:
        """The unfinished frame of a way."""
        stream = self._streams[way]
        rest = bytes(stream.rest)
        number, time = stream.begun
        return Sighting(way, Frame(rest), rest, stream.offset, number, time)

    def _over(self, entry: Entry) -> None:
        place = self._rest(entry.way)
        self._over_at.add(entry.way)
        if place.raw and entry.end == "closed":
            (self._frames or self._end).unfinished(place)
        self._end.over(place, entry.end)
        for check in self._of_messages:
            check.ended(entry.way)

    def finish(self) -> list[Violation]:
        """The violations that the end of the recording makes certain."""
        for way in (DOWN, UP):
            place = self._rest(way)
            # Bytes that were on their way when the far side closed are no fault.
            if place.raw and way not in self._over_at and self._end.late(place):
                (self._frames or self._end).unfinished(place)
        for check in self._all:
            check.finish()
        return self._taken()


def checks(*all_of_them: Check) -> tuple[Check, ...]:
    """Checks of any kind."""
    return all_of_them


def lint(
    header: dict[str, object], entries: Iterable[Entry], patience: int = PATIENCE
) -> Iterator[Violation]:
    """All violations of a recording."""
    linter = Linter(header, patience)
    yield from linter.begin()
    for entry in entries:
        yield from linter.add(entry)
    yield from linter.finish()
