"""Chapter 35 as a recording shows it: the bytes of a frame."""

from channelkit.lint.check import Check, Report
from channelkit.lint.sighting import Sighting
from channelkit.tap.record import DOWN, UP, Entry
from channelkit.tap.relay import AT_ONCE
from channelkit.wire.advanced import LARGEST, LENGTH, Malformed, Reader

_OF_EVERY_NODE = 13


class Frames(Check):
    """The frames of the serialization ``advanced``."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self._cuts: dict[str, set[int]] = {DOWN: set(), UP: set()}
        self._places = {DOWN: 0, UP: 0}
        self._first = {DOWN: True, UP: True}
        self._newer: set[str] = set()
        """Ways whose version was reported; a way has the same version in all its frames."""

    def entry(self, entry: Entry) -> None:
        """Notes where a write ended; a full read does not show the ends of writes."""
        self._places[entry.way] += len(entry.data)
        if len(entry.data) < AT_ONCE:
            self._cuts[entry.way].add(self._places[entry.way])

    def frame(self, seen: Sighting) -> None:
        """Judges a frame."""
        first, self._first[seen.way] = self._first[seen.way], False
        cuts = self._cuts[seen.way]
        if any(seen.offset + at in cuts for at in range(1, LENGTH + 1)) and len(seen.raw) > LENGTH:
            self.broken("ADV-004", seen, "the length of a frame in a write of its own")
        cuts.difference_update([cut for cut in cuts if cut <= seen.offset])
        reader = Reader(seen.raw)
        try:
            reading = reader.read()
        except Malformed as error:
            self._malformed(seen, error, reader, first=first)
            return
        finally:
            for remark in reader.reading.remarks:
                self.broken(remark.rule, seen, remark.text, at=remark.at)
        if reading.version != _OF_EVERY_NODE and seen.way not in self._newer:
            self._newer.add(seen.way)
            self.broken("ADV-010", seen, f"version {reading.version}; Node 12 to 16 read version 13 alone")

    def _malformed(self, seen: Sighting, error: Malformed, reader: Reader, *, first: bool) -> None:
        if reader.reading.remarks:
            return
        if len(seen.raw) <= LENGTH + 2:
            self.broken("ADV-002", seen, "a frame without a value")
        elif seen.raw[LENGTH] != 0xFF:
            self.broken("ADV-001", seen, str(error))
            if first:
                self.broken("BOO-017", seen, "the first bytes are no message")
        else:
            self.broken("ADV-020", seen, str(error), at=error.at)

    def unfinished(self, seen: Sighting) -> None:
        """Bytes that were no whole frame when the channel ended."""
        length = int.from_bytes(seen.raw[:LENGTH], "big")
        if length >= LARGEST and seen.raw[LENGTH : LENGTH + 1] == b"\xff":
            self.broken("ADV-003", seen, f"a frame of {length} bytes")
        else:
            self.broken("ADV-001", seen, f"{len(seen.raw)} bytes that are no whole frame, then the end")
