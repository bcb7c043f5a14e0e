"""The control channel of a driven adapter: commands out on its stdin, replies and events in on its stdout."""

import json
import os
from collections import Counter, deque
from typing import Any, Protocol

from channelkit.errors import HarnessError, LimitExceeded
from channelkit.limits import AT_ONCE, LONGEST_LINE, MOST_BYTES, MOST_WAITING
from channelkit.process.contract import fault_of
from channelkit.process.subject import read_some
from channelkit.wire.transcript import Transcript
from channelkit.wire.values import parse, untag


class Streams(Protocol):
    """Where commands go and where replies come from; non-blocking, None once closed."""

    stdin: int | None
    stdout: int | None


class Control:
    """Numbers commands, keeps replies by id and events in order. Raises :class:`HarnessError` on a breach.

    ``label`` stands before each line in the transcript. ``validate``: every line is held to the schema of the contract.
    """

    def __init__(
        self, subject: Streams, transcript: Transcript, label: str = "", *, validate: bool = False
    ) -> None:
        self._subject = subject
        self._transcript = transcript
        self._label = label
        self._validate = validate
        self._buffer = bytearray()
        self._last_id = 0
        self._awaited: set[int] = set()
        self._outgoing = bytearray()
        self.moved = 0
        """Bytes that went to and fro."""
        self.heard = False
        """The adapter has written anything at all."""
        self._most = MOST_BYTES
        self.replies: dict[int, dict[str, Any]] = {}
        self.events: deque[dict[str, Any]] = deque()
        self.seen: Counter[str] = Counter()
        """How often each event has ever arrived."""
        self.late: list[str] = []
        """Events that came after the end of the channel and must not."""

    @property
    def pending_output(self) -> bool:
        """Whether commands wait for room in the pipe."""
        return bool(self._outgoing)

    @property
    def ended(self) -> bool:
        """Whether the adapter has closed its stdout."""
        return self._subject.stdout is None

    def ask(self, command: dict[str, Any]) -> int:
        """Sends a command under a new id and returns the id."""
        self._last_id += 1
        self._hold_to_contract({"id": self._last_id, **command}, "command", "the kit")
        line = json.dumps({"id": self._last_id, **command})
        self._transcript.note(self._label + line, "ask")
        self._awaited.add(self._last_id)
        self._outgoing += line.encode() + b"\n"
        self.flush()
        return self._last_id

    def flush(self) -> None:
        """Writes as much as the pipe takes. An adapter that is gone is noticed elsewhere."""
        while self._outgoing and self._subject.stdin is not None:
            try:
                written = os.write(self._subject.stdin, self._outgoing)
            except BlockingIOError:
                return
            except OSError:
                self._outgoing.clear()
                return
            del self._outgoing[:written]
            self.moved += written

    def expect_more(self) -> None:
        """A new wait begins: from here on :data:`~channelkit.limits.MOST_BYTES` may arrive."""
        self._most = self.moved + MOST_BYTES

    def read(self) -> None:
        """Takes the lines that have arrived, up to :data:`~channelkit.limits.AT_ONCE` bytes. Raises :class:`LimitExceeded`."""
        until = self.moved + AT_ONCE
        while self._subject.stdout is not None and self.moved < until:
            data = read_some(self._subject.stdout)
            if data is None:
                return
            if not data:
                os.close(self._subject.stdout)
                self._subject.stdout = None
                return
            self.heard = True
            start = len(self._buffer)
            self._buffer += data
            self.moved += len(data)
            self._hold_to_limits()
            while (cut := self._buffer.find(b"\n", start)) >= 0:
                line = bytes(self._buffer[:cut])
                del self._buffer[: cut + 1]
                start = 0
                self._take(line)

    def _hold_to_limits(self) -> None:
        if len(self._buffer) > LONGEST_LINE:
            raise LimitExceeded("flooded", f"the adapter wrote a line longer than {LONGEST_LINE} bytes")
        if self.moved > self._most or len(self.events) > MOST_WAITING:
            raise LimitExceeded(
                "flooded", f"the adapter wrote {self.moved} bytes, {len(self.events)} events of them wait"
            )

    def _take(self, line: bytes) -> None:
        text = line.decode(errors="backslashreplace")
        self._transcript.note(self._label + text, "reply")
        try:
            raw = parse(text)
            value = untag(raw)
        except ValueError as error:
            raise HarnessError(
                f"the adapter wrote a line that is no JSON text: {text[:200]!r} ({str(error)[:200]})"
            ) from error
        if not isinstance(value, dict):
            raise HarnessError(f"the adapter wrote a line that is no object: {text[:200]!r}")
        self._hold_to_contract(raw, "event" if "event" in raw and "id" not in raw else "reply", "the adapter")
        if "id" in value:
            self._take_reply(value, text)
        elif isinstance(value.get("event"), str):
            if self.seen["disconnect"] and value["event"] in ("message", "disconnect"):
                self.late.append(text[:200])
            self.seen[value["event"]] += 1
            self.events.append(value)
        else:
            raise HarnessError(f"the adapter wrote neither a reply nor an event: {text[:200]!r}")

    def _hold_to_contract(self, line: dict[str, Any], kind: str, who: str) -> None:
        fault = fault_of(line, kind) if self._validate else ""
        if fault:
            raise HarnessError(f"{who} broke the contract: {kind}: {fault}")

    def _take_reply(self, reply: dict[str, Any], text: str) -> None:
        number = _identifier(reply["id"])
        if number not in self._awaited:
            raise HarnessError(f"the adapter answered a command that was not asked: {text[:200]!r}")
        if not isinstance(reply.get("ok"), bool):
            raise HarnessError(f"a reply of the adapter has no boolean `ok`: {text[:200]!r}")
        self._awaited.discard(number)
        self.replies[number] = reply


def _identifier(value: object) -> int:
    """The id of the command that a reply names; -1, which no command has, for a value that is no id."""
    return int(value) if isinstance(value, float) and value.is_integer() and value >= 0 else -1
