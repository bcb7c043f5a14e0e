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


def lines(entries: list[dict[str, Any]]) -> list[str]:
    """The entries as readable lines; bytes are followed by their hex."""
    shown = []
    for entry in entries:
        tail = ""
        if "hex" in entry:
            more = f" … {entry['size']} bytes" if entry["size"] > len(entry["hex"]) // 2 else ""
            handles = f" +{entry['descriptors']} fd" if "descriptors" in entry else ""
            tail = f"  [{_spaced(entry['hex'])}{more}{handles}]"
        shown.append(f"{entry['ms']:9.1f}  {_ARROWS[entry['kind']]}{entry['text']}{tail}")
    return shown


def _spaced(text: str) -> str:
    return " ".join(text[i : i + 2] for i in range(0, len(text), 2))
