"""Holds transcripts of the kit against the model: each must be a run of the channel's and the hand-over's tables.

    python spec/model/runs.py build/report/results.json

The subject is one end of the channel, and the kit is the other. A frame of the subject must be a move that the tables of the reference
have, under the guards of `channel.pml`. Input of the kit that breaks a rule is no move, and changes no state.

A transcript is followed as far as it was kept: up to bytes that were cut, or to its last entry. Exit status 1 when a transcript of a
passed case is no run.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter, deque
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from channelkit.catalogue.loading import shipped
from channelkit.wire.modes import of_mode
from channelkit.wire.serialization import Frame, Serialization, split

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # when started as a script
    sys.path.insert(0, str(ROOT))

from spec import generate  # noqa: E402 (needs the path)

ENVELOPE, ACK, NACK = "NODE_HANDLE", "NODE_HANDLE_ACK", "NODE_HANDLE_NACK"
_GIVE_UP_AT = 4  # HND-016
_KEPT = 100  # entries of a passed case that a report keeps
_ASKED = re.compile(r'\{"id": (\d+), "command": "(send|disconnect)"')
_DONE = re.compile(r'\{"id": ?(\d+), ?"ok": ?true')
_MESSAGE = re.compile(r'\{"event": ?"message"')
_END = re.compile(r'\{"event": ?"disconnect"')
_CLOSED = "the subject's side ended"


class NoRun(Exception):
    """A transcript has a step that the model has not. The text names the rule."""


class Cut(Exception):
    """The rest of a transcript was not kept."""


@cache
def moves(table: str) -> dict[tuple[str, str], str]:
    """The table `CHANNEL` or `HAND_OVER` of the reference."""
    return {(state, move): to for state, move, to in generate.transitions(ROOT, table)}


def _require(condition: bool, rule: str, text: str) -> None:
    if not condition:
        raise NoRun(f"{rule}: {text}")


@dataclass
class Endpoint:
    """What a transcript tells of the state of its subject."""

    serialization: Serialization
    channel: str = "OPEN"
    handover: str = "IDLE"
    refusals: int = 0
    owed: deque[frozenset[str]] = field(default_factory=deque)  # the answers that each envelope may get
    waiting: int = 0  # descriptors that no envelope has claimed
    deliverable: int = 0
    delivered: int = 0
    told: bool = False  # the user knows of the end
    ended: bool = False  # the subject has closed its end
    asked: dict[str, str] = field(default_factory=dict)
    tails: dict[str, bytes] = field(default_factory=lambda: {"write": b"", "read": b""})

    def follow(self, entry: dict[str, Any]) -> None:
        """Take one entry. Raises `NoRun` where the model has no such step, and `Cut` at bytes that were not kept."""
        kind, text = entry["kind"], entry["text"]
        if kind in self.tails:
            self._bytes(kind, entry)
        elif kind == "ask" and (found := _ASKED.match(text)):
            self.asked[found[1]] = found[2]
        elif kind == "reply":
            self._reply(text)
        elif kind == "note" and text.startswith(_CLOSED):
            self.ended = True
            if self.channel == "DISCONNECTING" and not self.tails["write"]:
                self._flushed()

    def finish(self) -> None:
        """Look at what is left to do when the transcript is whole."""
        if not self.ended:
            _require(not self.owed, "HND-034", "an envelope has no answer at the end")

    def _bytes(self, kind: str, entry: dict[str, Any]) -> None:
        data = bytes.fromhex(entry["hex"])
        if kind == "write":
            self.waiting += entry.get("descriptors", 0)
        frames, self.tails[kind] = split(self.serialization, self.tails[kind] + data)
        for raw in frames:
            frame = self.serialization.read(raw)
            if kind == "write":
                self._arrives(frame)
            else:
                self._leaves(frame)
        if entry["size"] > len(data):
            raise Cut

    def _arrives(self, frame: Frame) -> None:
        command = _command(frame)
        if command in (ACK, NACK):
            self._answered(command)
        elif command == ENVELOPE:
            self.owed.append(frozenset((ACK, NACK) if self.waiting else (NACK,)))
            self.waiting = max(0, self.waiting - 1)
            self.deliverable += 1
        elif not frame.problem or "UTF-8" in frame.problem:  # FRM-028
            self.deliverable += 1

    def _answered(self, command: str) -> None:
        if self.handover != "AWAITING":
            return  # the kit broke HND-050
        if command == ACK:
            self._hand_over("ACK")
            return
        self.refusals += 1
        self._hand_over("NACK" if self.refusals < _GIVE_UP_AT else "GIVE_UP")

    def _leaves(self, frame: Frame) -> None:
        _require(not self.ended, "LIF-002", "a frame follows the end")
        command = _command(frame)
        if command in (ACK, NACK):
            _require(bool(self.owed), "HND-050", "an answer is not owed")
            _require(command in self.owed.popleft(), "HND-012", "the answer is not that of its envelope")
            if command == NACK:
                self.deliverable -= 1
                _require(self.delivered <= self.deliverable, "HND-037", "a refused message is delivered")
        elif command == ENVELOPE:
            if self.handover == "IDLE":
                self.refusals = 0
                self._hand_over("SEND")
            _require(self.handover == "WRITING", "HND-017", "a handle leaves while another has no answer")
            self._hand_over("WRITE_DONE")
        else:
            _require(self.handover == "IDLE", "HND-010", "a message passes a handle")

    def _reply(self, text: str) -> None:
        if _MESSAGE.match(text):
            self.delivered += 1
            _require(not self.told, "LIF-003", "a message follows the end")
            _require(self.delivered <= self.deliverable, "HND-037", "a message is delivered that never came")
        elif _END.match(text):
            _require(not self.told, "LIF-001", "the end is told twice")
            self.told = True
        elif (found := _DONE.match(text)) and (command := self.asked.pop(found[1], "")):
            if command == "disconnect":
                self._channel("DISCONNECT")
            else:
                _require(self.channel == "OPEN", "LIF-014", "a message is accepted after the disconnect")

    def _flushed(self) -> None:
        _require(self.handover == "IDLE", "LIF-012", "the channel is closed before a handle is answered")
        _require(not self.owed, "LIF-015", "the channel is closed before an envelope is answered")
        self._channel("FLUSHED")

    def _hand_over(self, move: str) -> None:
        to = moves("HAND_OVER").get((self.handover, move))
        _require(to is not None, "HND-017", f"the table has no move {move} from {self.handover}")
        self.handover = str(to)

    def _channel(self, move: str) -> None:
        to = moves("CHANNEL").get((self.channel, move))
        _require(to is not None, "LIF-010", f"the table has no move {move} from {self.channel}")
        self.channel = str(to)


def _command(frame: Frame) -> Any:
    return frame.value.get("cmd") if isinstance(frame.value, dict) else None


def follow(entries: list[dict[str, Any]], mode: str | None = "json", *, whole: bool = True) -> bool:
    """Follow a transcript; return whether it was followed to its end. Raises `NoRun`, which names the entry and the rule."""
    end = Endpoint(of_mode(mode))
    for number, entry in enumerate(entries):
        try:
            end.follow(entry)
        except NoRun as error:
            raise NoRun(f"entry {number}, {error}") from None
        except Cut:
            return False
    if whole:
        end.finish()
    return whole


def _subjects() -> list[dict[str, Any]]:
    return [
        json.loads(file.read_text("utf-8")) for file in (ROOT / "conformance" / "subjects").glob("*.json")
    ]


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="holds the transcripts of a report against the model")
    parser.add_argument("results", type=Path, help="a results.json of the kit")
    options = parser.parse_args()
    report = json.loads(options.results.read_text("utf-8"))
    cases = {case.id: case for case in shipped()}
    spoken = {subject["name"]: subject["mode"] for subject in _subjects() if "mode" in subject}
    counts: Counter[str] = Counter()
    for result in report["results"]:
        entries = result["transcript"]
        if result["verdict"] != "pass" or result["subject"].endswith("-codec"):
            continue
        case = cases[result["case"]]
        mode = case.start.get("mode", spoken.get(result["subject"], case.mode))
        try:
            counts["whole" if follow(entries, mode, whole=len(entries) < _KEPT) else "prefix"] += 1
        except NoRun as error:
            counts["no run"] += 1
            print(f"{result['subject']} {result['case']} ({result['variant']}): {error}")
    print(", ".join(f"{number} {name}" for name, number in sorted(counts.items())))
    return 1 if counts["no run"] or not counts["whole"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
