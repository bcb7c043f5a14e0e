"""What was seen and done during a case, in order, for people who look for the reason of a failure."""

import time
from dataclasses import dataclass, field
from typing import Any

from channelkit.wire.visible import visible

KEPT = 160
"""Bytes of one entry that are kept; the entry says how many there were."""
MOST = 20_000
"""Entries that are kept. A subject that trickles would fill the memory with them."""


@dataclass(slots=True)
class Transcript:
    """An append-only list of entries ``{"ms", "kind", "text"}``, with ``hex`` and ``size`` when it is about bytes.

    ``kind`` is one of ``write`` and ``read`` (the channel), ``down`` and ``up`` (that of a pair, from its parent and to it), ``ask``
    and ``reply`` (the adapter), ``note`` and ``step``.
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
            entry = {"kind": "note", "text": "the transcript is full: what follows is not kept"}
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
    """The entries as readable lines; bytes are followed by their hex. Unless they are to be ``whole``, long ones are cut."""
    shown = []
    for entry in entries:
        text = entry["text"] if whole or len(entry["text"]) <= TEXT else f"{entry['text'][:TEXT]}…"
        shown.append(f"{entry['ms']:9.1f}  {_ARROWS[entry['kind']]}{text}{_tail(entry, whole=whole)}")
    return shown


def _tail(entry: dict[str, Any], *, whole: bool) -> str:
    """The bytes of an entry in hex, their number where some are left out, and the descriptors that came with them."""
    if "hex" not in entry:
        return ""
    shown = entry["hex"] if whole else entry["hex"][: 2 * HEX]
    more = f" … {entry['size']} bytes" if entry["size"] > len(shown) // 2 else ""
    handles = f" +{entry['descriptors']} fd" if "descriptors" in entry else ""
    return f"  [{_spaced(shown)}{more}{handles}]"


def _spaced(text: str) -> str:
    return " ".join(text[i : i + 2] for i in range(0, len(text), 2))
