"""Chapter 50 as a recording shows it: envelopes, their descriptors, their answers."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from channelkit.lint.check import Check, Report
from channelkit.lint.sighting import Descriptor, Sighting, command_of, other
from channelkit.tap.descriptors import BOUND, DATAGRAM, OTHER, SERVER, STREAM
from channelkit.tap.record import DOWN, UP

ENVELOPE, ACK, NACK = "NODE_HANDLE", "NODE_HANDLE_ACK", "NODE_HANDLE_NACK"
FITTING = {
    "net.Server": (SERVER,),
    "net.Socket": (STREAM,),
    "net.Native": (SERVER, STREAM, BOUND),
    "dgram.Socket": (DATAGRAM,),
    "dgram.Native": (DATAGRAM,),
    "net.BoundSocket": (BOUND,),
}
"""Type of an envelope to the kinds of descriptor that fit it."""
_FAMILIES = {"udp4": "IPv4", "udp6": "IPv6"}
_MOST_ATTEMPTS = 4
_INHERITED = frozenset(
    {
        *(
            "__proto__",
            "constructor",
            "hasOwnProperty",
            "isPrototypeOf",
            "propertyIsEnumerable",
            "toLocaleString",
        ),
        *(
            "toString",
            "valueOf",
            "__defineGetter__",
            "__defineSetter__",
            "__lookupGetter__",
            "__lookupSetter__",
        ),
    }
)
"""Names that every object of JavaScript inherits."""
_ANSWERS_OF_LISTS = ("NODE_SOCKET_COUNT", "NODE_SOCKET_ALL_CLOSED")


@dataclass(slots=True)
class _Sender:
    """A side as a sender of handles."""

    unanswered: deque[Sighting]
    answered: Sighting | None = None
    """The last envelope that was acknowledged, until its sender writes again."""
    refused: Sighting | None = None
    """The envelope that was refused, until its sender writes again."""
    attempts: int = 1


class Handles(Check):
    """Both sides as senders and as receivers."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self._senders = {way: _Sender(deque()) for way in (DOWN, UP)}
        self._strayed: dict[str, bool] = {}
        """Whether the last frame of a way brought a descriptor and was no envelope."""

    def frame(self, seen: Sighting) -> None:
        """Judges a frame."""
        command = seen.command
        if command in (ACK, NACK):
            self._answer(seen, accepted=command == ACK)
            self._stray(seen)
        elif command == ENVELOPE:
            self._envelope(seen)
        else:
            self._plain(seen, command)

    # ---- the sender

    def _plain(self, seen: Sighting, command: str) -> None:
        sender = self._senders[seen.way]
        self._stray(seen)
        if sender.unanswered:
            self.broken("HND-010", seen, "a message behind a handle that is not answered")
            if command in _ANSWERS_OF_LISTS:
                self.broken("SLS-019", seen, "an answer behind a handle that is not answered")
        if sender.refused is not None:
            self._given_up(seen)

    def _stray(self, seen: Sighting) -> None:
        self._strayed[seen.way] = bool(seen.descriptors)
        if seen.descriptors:
            self.broken(
                "HND-006", seen, f"{len(seen.descriptors)} descriptor(s) with a message that is no envelope"
            )

    def _given_up(self, seen: Sighting) -> None:
        sender = self._senders[seen.way]
        if sender.attempts < _MOST_ATTEMPTS:
            self.broken("HND-015", seen, f"a handle is given up at refusal {sender.attempts}")
        sender.refused, sender.attempts = None, 1

    def _envelope(self, seen: Sighting) -> None:
        sender = self._senders[seen.way]
        if sender.unanswered:
            self.broken("HND-017", seen, "a handle before the last one is answered")
            self.broken("HND-010", seen, "a message behind a handle that is not answered")
        again = self._again(seen, sender)
        self._shape(seen)
        self._descriptors(seen, again=again)
        sender.unanswered.append(seen)

    def _again(self, seen: Sighting, sender: _Sender) -> bool:
        """Whether an envelope repeats the refused envelope."""
        before = sender.refused
        if before is None:
            sender.attempts = 1
            return False
        same = seen.raw == before.raw
        inner = command_of(seen.value.get("msg")) == ENVELOPE and seen.value["msg"] == before.value
        if not (same or inner):
            self._given_up(seen)
            return False
        sender.refused = None
        sender.attempts += 1
        if inner and not same:
            self.broken("HND-015", seen, "a refused handle comes again as an envelope inside an envelope")
        if sender.attempts > _MOST_ATTEMPTS:
            self.broken("HND-016", seen, f"transmission {sender.attempts} of one handle")
        return True

    def _shape(self, seen: Sighting) -> None:
        envelope = seen.value
        while True:
            self._members(seen, envelope)
            inner = envelope.get("msg")
            if command_of(inner) != ENVELOPE:
                return
            envelope = inner

    def _members(self, seen: Sighting, envelope: dict[str, Any]) -> None:
        kind = envelope.get("type")
        if "msg" not in envelope:
            self.broken("HND-001", seen, "an envelope without `msg`")
        if "type" not in envelope:
            self.broken("HND-001", seen, "an envelope without `type`")
        elif not isinstance(kind, str) or kind not in FITTING:
            self.broken("HND-002", seen, f"the unknown type {kind!r:.60}")
        if kind == "dgram.Socket" and envelope.get("dgramType") not in _FAMILIES:
            self.broken("HND-007", seen, "a `dgram.Socket` without `dgramType`")
        key = envelope.get("key")
        if key == "":
            self.broken("SLS-006", seen, "an empty `key`")
        elif isinstance(key, str) and key in _INHERITED:
            self.broken("SLS-007", seen, f"the key {key!r}, which every object of JavaScript inherits")

    def _descriptors(self, seen: Sighting, *, again: bool) -> None:
        if not seen.descriptors:
            if again:
                self.broken("HND-024", seen, "a refused envelope comes again without its descriptor")
            if self._strayed.get(seen.way):
                self.broken("HND-005", seen, "an envelope whose descriptor came with the message before")
            self.broken("HND-004", seen, "an envelope without a descriptor")
            return
        first = seen.descriptors[0][1]
        places = {at for at, _one in seen.descriptors}
        if len(seen.descriptors) > 1:
            same = len({one.get("inode") for _at, one in seen.descriptors}) == 1 and len(places) > 1
            if same and first.get("inode") is not None:
                self.broken("HND-028", seen, "the descriptor again with the rest of its envelope")
            else:
                self.broken("HND-004", seen, f"{len(seen.descriptors)} descriptors with one envelope")
        elif places != {0}:
            self.broken("HND-005", seen, f"the descriptor on byte {min(places)} of its envelope")
        self._fits(seen, first)

    def _fits(self, seen: Sighting, descriptor: Descriptor) -> None:
        envelope = seen.value
        while command_of(envelope.get("msg")) == ENVELOPE:
            envelope = envelope["msg"]
        kind, what = envelope.get("type"), descriptor.get("kind")
        family = _FAMILIES.get(str(envelope.get("dgramType")))
        if what == OTHER:
            self.broken("HND-003", seen, "a descriptor that is no TCP, Unix stream or UDP socket")
        elif kind in FITTING and what not in FITTING[str(kind)]:
            self.broken("HND-002", seen, f"a descriptor of the kind {what} as {kind}")
        elif kind == "dgram.Socket" and family and descriptor.get("family", family) != family:
            self.broken(
                "HND-007", seen, f"a socket of the family {descriptor['family']} as {envelope['dgramType']}"
            )
        if what != OTHER and descriptor.get("blocking"):
            self.broken("HND-018", seen, "a socket in blocking mode")

    # ---- the receiver

    def _answer(self, seen: Sighting, *, accepted: bool) -> None:
        sender = self._senders[other(seen.way)]
        if not sender.unanswered:
            self._surplus(seen, sender)
            return
        envelope = sender.unanswered.popleft()
        sender.answered = envelope
        if accepted:
            sender.attempts = 1
            if not envelope.descriptors:
                self.broken("HND-012", seen, "an envelope without a descriptor is acknowledged")
            return
        sender.refused = envelope
        if envelope.descriptors:
            known = envelope.value.get("type") in FITTING
            self.broken(
                "HND-046" if known else "HND-042",
                seen,
                "an envelope with a descriptor is refused"
                if known
                else "an envelope of an unknown type is refused",
            )
            if known:
                self.broken("HND-034", seen, "an envelope with a descriptor is refused")

    def _surplus(self, seen: Sighting, sender: _Sender) -> None:
        before = sender.answered
        if before is None:
            self.broken("HND-050", seen, "an answer that is not owed")
            return
        self.broken("HND-034", seen, "a second answer for one handle")
        self.broken("HND-050", seen, "an answer that is not owed")
        if command_of(before.value.get("msg")) == ENVELOPE:
            self.broken("HND-013", seen, "a second answer for an envelope inside an envelope")

    def finish(self) -> None:
        """Reports envelopes without an answer."""
        waiting = {
            way: [one for one in sender.unanswered if self.late(one)] for way, sender in self._senders.items()
        }
        for way, envelopes in waiting.items():
            for seen in envelopes:
                self._unanswered(seen, other(way))
                if waiting[other(way)]:
                    self.broken("HND-019", seen, "two handles wait for each other", by=other(way))

    def _unanswered(self, seen: Sighting, by: str) -> None:
        text = "no answer to an envelope in a second and more"
        if not seen.descriptors:
            self.broken("HND-012", seen, text, by=by)
        elif seen.value.get("type") not in FITTING:
            self.broken("HND-042", seen, text, by=by)
        else:
            self.broken("HND-034", seen, text, by=by)
