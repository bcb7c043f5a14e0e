"""The record of a case: all reads, writes and events in order, for a person who looks for the cause of a failure."""

import time
from dataclasses import dataclass, field
from typing import Any

from channelkit.wire.visible import visible

KEPT = 160
"""Bytes of an entry that are kept; the entry tells the full number."""
MOST = 20_000
"""Entries that are kept. A subject that trickles would fill the memory with them."""


@dataclass(slots=True)
class Transcript:
    """An append-only list of entries ``{"ms", "kind", "text"}``, with ``hex`` and ``size`` for bytes.

    The channel of a case has the kinds ``write`` and ``read``. The channel of a pair has ``down``, from its parent, and ``up``, to it.
    The adapter has ``ask`` and ``reply``; the kit has ``note`` and ``step``.
    """

    started: float = field(default_factory=time.monotonic)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def note(self, text: str, kind: str = "note") -> None:
        """Records a sentence of the runner, or a line of the control channel."""
        if len(text) > KEPT:
            text = f"{text[:KEPT]}… ({len(text)} characters)"
        self._add({"kind": kind, "text": visible(text)})

    def data(self, kind: str, data: bytes, descriptors: int = 0) -> None:
        """Records bytes that crossed the channel, and how many descriptors they carried."""
        head = data[:KEPT]
        text = visible(head.decode(errors="backslashreplace"))
        entry: dict[str, Any] = {"kind": kind, "text": text, "hex": head.hex(), "size": len(data)}
        if descriptors:
            entry["descriptors"] = descriptors
        self._add(entry)

    def _add(self, entry: dict[str, Any]) -> None:
        if len(self.entries) > MOST:
            return
        if len(self.entries) == MOST:
            entry = {"kind": "note", "text": "the transcript is full: later entries are not kept"}
        self.entries.append({"ms": round((time.monotonic() - self.started) * 1000, 1), **entry})


_ARROWS = {
    "write": "kit  → ",
    "read": "kit  ← ",
    "down": "down → ",
    "up": "up   ← ",
    "ask": "ctl  → ",
    "reply": "ctl  ← ",
    "note": "     · ",
    "step": "step   ",
}


TEXT, HEX = 100, 16
"""Characters and bytes of an entry that stand in a line, unless it is to be whole."""


def lines(entries: list[dict[str, Any]], *, whole: bool = False) -> list[str]:
    """The entries as readable lines; bytes are followed by their hex. Long entries are cut, unless ``whole`` is set."""
    shown = []
    for entry in entries:
        text = entry["text"] if whole or len(entry["text"]) <= TEXT else f"{entry['text'][:TEXT]}…"
        shown.append(f"{entry['ms']:9.1f}  {_ARROWS[entry['kind']]}{text}{_tail(entry, whole=whole)}")
    return shown


def _tail(entry: dict[str, Any], *, whole: bool) -> str:
    """The bytes of an entry in hex, their number if the hex is cut, and the number of descriptors that came with them."""
    if "hex" not in entry:
        return ""
    shown = entry["hex"] if whole else entry["hex"][: 2 * HEX]
    more = f" … {entry['size']} bytes" if entry["size"] > len(shown) // 2 else ""
    handles = f" +{entry['descriptors']} fd" if "descriptors" in entry else ""
    return f"  [{_spaced(shown)}{more}{handles}]"


def _spaced(text: str) -> str:
    return " ".join(text[i : i + 2] for i in range(0, len(text), 2))
