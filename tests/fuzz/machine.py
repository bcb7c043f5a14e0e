"""The reference against itself: a rule-based machine over two connections, with the spec's tables as its model."""

from __future__ import annotations

import json
import os
import socket
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fuzz.tables import Automaton
from fuzz.wires import UNLIMITED, Wire, in_memory, over_sockets
from nodechannel._core.connection import Connection
from nodechannel._core.message import Message
from nodechannel._handles.outgoing import SocketHandle
from nodechannel._io import steps
from nodechannel._json.serialization import JsonSerialization
from nodechannel._transport.rights import descriptors_in
from nodechannel._transport.unix import UnixTransport
from nodechannel.errors import (
    ChannelClosed,
    HandleAbandoned,
    InvalidJson,
    MissingDescriptor,
    RemoteError,
    UnexpectedAck,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nodechannel._core.delivery import Delivery

COVERED: Counter[tuple[str, str, str]] = Counter()
"""Transitions that any machine of this process has taken."""

ACK = b'{"cmd":"NODE_HANDLE_ACK"}'
NACK = b'{"cmd":"NODE_HANDLE_NACK"}'
MOST_REFUSALS = 4
UNREADABLE = [b"garbage", b"", b"\xff"]
STRAY = b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":1}'
INJECTED = [*UNREADABLE, b'{"cmd":"NODE_FUTURE"}', ACK, NACK, STRAY]
RARELY = st.sampled_from([False, False, False, False, True])
ROOM = st.sampled_from([1, 2, 7, 30, 31, 200, 4000, UNLIMITED])
SIDES = st.sampled_from([0, 1])


@dataclass
class Side:
    """An end: the real connection, and the model's knowledge of it."""

    wire: Wire
    transport: UnixTransport = field(init=False)
    connection: Connection = field(default_factory=lambda: Connection(JsonSerialization()))
    channel: Automaton = field(default_factory=lambda: Automaton("CHANNEL", "OPEN", COVERED))
    hand_over: Automaton = field(default_factory=lambda: Automaton("HAND_OVER", "IDLE", COVERED))
    queue: deque[tuple[int, bool]] = field(default_factory=deque)
    """Messages that were accepted and are not on the wire: number, and whether a handle goes with it."""
    under_way: int | None = None
    refusals: int = 0
    parsed: int = 0
    """How much of the log was looked at."""
    travelling: deque[tuple[int, bool]] = field(default_factory=deque)
    """Messages that are on the wire and were not delivered."""
    incoming: bytearray = field(default_factory=bytearray)
    """Bytes that were read, without a line feed yet."""
    carried: int = 0
    """Descriptors that came and belong to no line yet."""
    deliveries: list[Delivery] = field(default_factory=list)
    answers_due: int = 0
    events_due: deque[type[RemoteError]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.transport = UnixTransport(self.wire)  # type: ignore[arg-type]


class Machine(RuleBasedStateMachine):
    """Two ends of a channel. Subclasses say how they are connected."""

    make_pair: Callable[[], tuple[Wire, Wire]]

    @initialize()
    def start(self) -> None:
        self.open_before = len(os.listdir("/dev/fd"))  # noqa: PTH208
        self.numbers = 0
        self.forged = False
        self.keepers: list[socket.socket] = []
        left, right = type(self).make_pair()
        self.sides = (Side(left), Side(right))

    # ---- acts of the users of both ends ---------------------------------------------------------------------

    @rule(
        at=SIDES, size=st.sampled_from([0, 0, 1, 100, 5000, 40_000]), count=st.sampled_from([1, 1, 1, 2, 40])
    )
    def send(self, at: int, size: int, count: int) -> None:
        """Queue a message, or several messages in a single call."""
        side = self.sides[at]
        numbers = range(self.numbers + 1, self.numbers + 1 + count)
        blocks = side.connection.frames([[number, "é" * size] for number in numbers])
        self._accepted(side, lambda: [side.connection.queue(block) for block in blocks][-1], numbers)

    @rule(at=SIDES, size=st.sampled_from([0, 100, 5000]), room=ROOM)
    def send_now(self, at: int, size: int, room: int) -> None:
        """Write a message at once, as far as there is room for it."""
        side, peer = self.sides[at], self.sides[1 - at]
        frame = side.connection.frame([self.numbers + 1, "é" * size])
        side.wire.room = room
        failed = peer.wire.closed and side.connection.unhindered and not side.connection.outbox.size

        def send() -> Delivery:
            return steps.send_now(side.transport, side.connection, frame) or side.connection.queue(frame)

        if failed:
            self._refused(send)
            self._write_failed(side)
        else:
            self._accepted(side, send, [self.numbers + 1])
        side.wire.room = 0
        self._look_at_log(side)

    @rule(at=SIDES, size=st.sampled_from([0, 0, 5000]), shared=st.booleans())
    def send_handle(self, at: int, size: int, shared: bool) -> None:
        side = self.sides[at]
        number = self.numbers + 1
        mine, other = socket.socketpair()
        self.keepers += [mine, other]
        handle = SocketHandle(mine, shared)
        self._accepted(
            side, lambda: side.connection.send([number, "é" * size], handle), [number], handle=True
        )

    def _accepted(
        self, side: Side, send: Callable[[], Delivery], numbers: Sequence[int], *, handle: bool = False
    ) -> None:
        self.numbers = numbers[-1]
        if not side.channel.can("SEND"):
            self._refused(send)
            return
        side.deliveries.append(send())
        side.channel.move("SEND")
        side.queue.extend((number, handle) for number in numbers)
        self._release(side)

    def _refused(self, send: Callable[[], Delivery]) -> None:
        """A message that cannot be sent any more is not taken, and its sender is told."""
        try:
            send()
        except ChannelClosed:
            return
        raise AssertionError("a message was taken after the end")

    def _release(self, side: Side) -> None:
        """The head of the queue may go out, up to and with the next handle."""
        if side.hand_over.state == "IDLE" and side.under_way is None:
            for number, handle in side.queue:
                if handle:
                    side.hand_over.move("SEND")
                    side.under_way = number
                    return

    @rule(at=SIDES, really=RARELY)
    def disconnect(self, at: int, really: bool) -> None:
        side = self.sides[at]
        if not really:
            return
        side.connection.disconnect()
        side.channel.move("DISCONNECT")
        if side.channel.state == "CLOSED":
            self._ended(side)

    @rule(at=SIDES, really=RARELY)
    def close(self, at: int, really: bool) -> None:
        side = self.sides[at]
        if not really:
            return
        side.connection.close()
        side.channel.move("CLOSE")
        self._ended(side, dropped=True)

    @rule(at=SIDES, really=st.booleans(), then=st.sampled_from(["read", "disconnect", "nothing"]))
    def vanish(self, at: int, really: bool, then: str) -> None:
        """An end closes behind a handle that it has just written, and its peer notices while it writes."""
        if not really:
            return
        self.send_handle(at, 0, True)
        self.write(at, UNLIMITED)
        self.close(at, True)
        self.send(1 - at, 0, 1)
        self.write(1 - at, UNLIMITED)
        if then == "disconnect":
            self.disconnect(1 - at, True)
        for _ in range(3 if then == "read" else 0):
            self.read(1 - at, 65_536)
            self.write(1 - at, UNLIMITED)

    @rule(at=SIDES, really=RARELY, times=st.integers(1, 6))
    def refuse(self, at: int, really: bool, times: int) -> None:
        """An end has no room for descriptors while its peer tries to hand over."""
        if not really:
            return
        self.send_handle(at, 0, True)
        self.fill_table(1 - at, True)
        self.exchange(at, times)
        self.fill_table(1 - at, False)

    @rule(at=SIDES, really=RARELY, then=st.sampled_from(["exchange", "close", "close the other"]))
    def leave(self, at: int, really: bool, then: str) -> None:
        """An end disconnects behind a handle that its peer has not read."""
        if not really:
            return
        self.send_handle(at, 0, True)
        self.disconnect(at, True)
        if then == "exchange":
            self.exchange(at, 2)
        else:
            other = then == "close the other"
            self.close(1 - at if other else at, True)
            self.read(at, 65_536)

    # ---- the wire between the ends --------------------------------------------------------------------------

    @rule(at=SIDES, room=ROOM)
    def write(self, at: int, room: int) -> None:
        side, peer = self.sides[at], self.sides[1 - at]
        if side.wire.closed:
            return
        side.wire.room = room
        failed = peer.wire.closed and side.connection.outbox.size > 0
        steps.send_step(side.transport, side.connection)
        side.wire.room = 0
        self._look_at_log(side)
        if failed:
            self._write_failed(side)
        if side.connection.ready_to_close:
            assert not side.queue, "the channel ends before all frames are written"
            assert side.hand_over.state == "IDLE", "the channel ends while a handle is under way"
            side.connection.finish()
            side.channel.move("FLUSHED")
            self._ended(side)

    def _write_failed(self, side: Side) -> None:
        side.channel.move("WRITE_FAILED")
        self._gave_up(side)
        if side.channel.state == "CLOSED":
            self._ended(side)

    def _look_at_log(self, side: Side) -> None:
        """Hold each line that was written to the rules of its sender."""
        while (cut := side.wire.log.find(b"\n", side.parsed)) >= 0:
            line = bytes(side.wire.log[side.parsed : cut])
            side.parsed = cut + 1
            if line in (ACK, NACK):
                side.answers_due -= 1
                assert side.answers_due >= 0, "an answer without a question"
                continue
            value = json.loads(line)
            if isinstance(value, dict):
                assert value["cmd"] == "NODE_HANDLE", value
                number = value["msg"][0]
                assert number == side.under_way, "a handle is written while a handle is under way"
                side.hand_over.move("WRITE_DONE")
                if side.refusals == 0:
                    assert side.queue.popleft() == (number, True), "out of order"
                side.travelling.append((number, True))
            else:
                assert side.hand_over.state in ("IDLE", "WRITING"), "a message overtook a handle"
                assert side.queue.popleft() == (value[0], False), "out of order"
                side.travelling.append((value[0], False))

    @rule(at=SIDES, loses=st.booleans())
    def fill_table(self, at: int, loses: bool) -> None:
        self.sides[at].wire.loses = loses

    @rule(at=SIDES, times=st.integers(1, 6))
    def exchange(self, at: int, times: int) -> None:
        for _ in range(times):
            self.write(at, UNLIMITED)
            self.read(1 - at, 65_536)
            self.write(1 - at, UNLIMITED)
            self.read(at, 65_536)

    @rule(at=SIDES, portion=st.sampled_from([1, 2, 7, 30, 31, 200, 65_536]))
    def read(self, at: int, portion: int) -> None:
        side, peer = self.sides[at], self.sides[1 - at]
        if side.wire.closed:
            return
        side.wire.portion = portion
        try:
            steps.receive_step(side.transport, side.connection)
        except BlockingIOError:
            return
        data, ancillary, *_ = side.connection.inbox[-1]
        if data:
            self._predict(side, peer, data, carries=len(descriptors_in(ancillary)))
        else:
            if side.channel.state != "CLOSED":
                side.channel.move("EOF")
            self._gave_up(side)
        side.connection.take_in()
        if not data:
            self._ended(side)
        self._take_events(side)

    def _predict(self, side: Side, peer: Side, data: bytes, *, carries: int) -> None:
        """The effect of the lines in these bytes on their reader."""
        side.carried += carries
        side.incoming += data
        while (cut := side.incoming.find(b"\n")) >= 0:
            line = bytes(side.incoming[:cut])
            del side.incoming[: cut + 1]
            if line == ACK:
                self._answered(side, "ACK")
            elif line == NACK:
                self._answered(side, "NACK")
            elif line in UNREADABLE:
                side.events_due.append(InvalidJson)
            elif line.startswith(b'{"cmd":"NODE_HANDLE",'):
                side.answers_due += 1
                if side.carried:
                    side.carried -= 1
                else:
                    side.events_due.append(MissingDescriptor)
                    if line != STRAY:
                        peer.travelling.remove((json.loads(line)["msg"][0], True))
        if not side.incoming:
            assert side.carried == 0, "a descriptor that no line announced"

    def _answered(self, side: Side, word: str) -> None:
        if not side.hand_over.can(word):
            side.events_due.append(UnexpectedAck)
            return
        if word == "NACK":
            side.refusals += 1
            if side.refusals < MOST_REFUSALS:
                side.hand_over.move("NACK")
                return
            word = "GIVE_UP"
            side.events_due.append(HandleAbandoned)
        side.hand_over.move(word)
        side.under_way, side.refusals = None, 0
        self._release(side)

    @precondition(lambda self: not self.forged)
    @rule(at=SIDES, line=st.sampled_from(INJECTED))
    def inject(self, at: int, line: bytes) -> None:
        """Once in a run, a line arrives that the peer never wrote."""
        side, peer = self.sides[at], self.sides[1 - at]
        between = len(side.wire.log) == side.parsed and not peer.incoming and not side.travelling
        if side.wire.closed or peer.wire.closed or not between or side.answers_due:
            return
        self.forged = True
        with suppress(BlockingIOError):
            side.wire.inject(line + b"\n")
            self.read(1 - at, 65_536)  # before anything else can come into the same read

    # ---- the consequences -------------------------------------------------------------------------------------

    def _take_events(self, side: Side) -> None:
        peer = self.sides[1 - self.sides.index(side)]
        while side.connection.events:
            event = side.connection.events.popleft()
            if isinstance(event, Message):
                assert peer.travelling, f"{event} was never written"
                number, handle = peer.travelling.popleft()
                assert event.data[0] == number, "messages came in another order, twice or not at all"
                assert (event.handle is not None) == handle
                if event.handle is not None:
                    event.handle.close()
            else:
                assert side.events_due, f"{event!r} for no reason"
                assert type(event) is side.events_due.popleft()
        assert not side.events_due, f"{side.events_due} was not reported"

    def _gave_up(self, side: Side) -> None:
        """No further frame will be written."""
        side.queue.clear()
        side.under_way = None
        side.refusals = side.answers_due = 0
        side.hand_over.state = "IDLE"

    def _ended(self, side: Side, *, dropped: bool = False) -> None:
        self._gave_up(side)
        side.wire.close()
        if dropped:
            side.events_due.clear()
            self.sides[1 - self.sides.index(side)].travelling.clear()

    @invariant()
    def as_the_model_says(self) -> None:
        """Compare both ends with the model."""
        for side in self.sides:
            assert side.connection.connected is (side.channel.state == "OPEN")
            assert side.connection.closed is (side.channel.state == "CLOSED")
            assert side.connection._state.name == side.channel.state
            assert side.connection._hand_over.idle is (side.hand_over.state == "IDLE")
            assert side.connection.settled or side.queue or side.hand_over.state != "IDLE" or side.answers_due

    def teardown(self) -> None:
        if not hasattr(self, "sides"):
            return
        try:
            if not any(side.wire.closed for side in self.sides) and not self.forged:
                self._drain()
        finally:
            for side in self.sides:
                side.connection.close()
                side.wire.close()
                side.deliveries.clear()
            for keeper in self.keepers:
                keeper.close()
        assert len(os.listdir("/dev/fd")) == self.open_before, "descriptors were left open or closed twice"  # noqa: PTH208

    def _drain(self) -> None:
        """With room for all frames and without faults, all sent messages arrive."""
        for side in self.sides:
            side.wire.loses = False
        for _ in range(10_000):
            before = [
                (len(side.wire.log), len(side.travelling), len(side.queue), side.hand_over.state)
                for side in self.sides
            ]
            for at in (0, 1):
                self.write(at, UNLIMITED)
                self.read(1 - at, 65_536)
            after = [
                (len(side.wire.log), len(side.travelling), len(side.queue), side.hand_over.state)
                for side in self.sides
            ]
            idle = not any(side.incoming for side in self.sides)
            if before == after and idle:
                break
        for side in self.sides:
            if side.channel.state == "OPEN":
                assert not side.queue, "messages were never written"
                assert not side.travelling, "messages were never delivered"


class MemoryMachine(Machine):
    """Only Python lies between the ends."""

    make_pair = staticmethod(in_memory)


class SocketMachine(Machine):
    """A socket pair between the ends."""

    make_pair = staticmethod(over_sockets)


def report() -> str:
    """How much of the tables was walked."""
    from fuzz.tables import ALL

    taken = ALL & set(COVERED)
    missing = ", ".join(" ".join(one) for one in sorted(ALL - taken))
    return f"{len(taken)} of {len(ALL)} transitions taken" + (f"; never: {missing}" if missing else "")


__all__ = ["COVERED", "Machine", "MemoryMachine", "SocketMachine", "report"]
