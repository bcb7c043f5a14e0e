"""The core: one end of a channel as a state machine without any I/O.

After every input, first write what `outbox` holds, then take events until there are none:

    receive_data(...), receive_eof(), written(...), write_failed()    what happened outside
    send(...), disconnect(), close()                                  what this side wants
    outbox, ready_to_close                                            what the caller must do
    next_event()                                                      what the user should learn
"""

from __future__ import annotations

from collections import deque
from functools import partial

from nodechannel import codec
from nodechannel.codec import LONGEST_LINE, LineFramer
from nodechannel.delivery import Delivery, DeliveryState
from nodechannel.errors import (
    BadEnvelope,
    ChannelClosed,
    HandleAbandoned,
    InvalidJson,
    InvalidMessage,
    LineTooLong,
    MissingDescriptor,
    RemoteError,
    UnexpectedAck,
)
from nodechannel.handles import ReceivedHandle
from nodechannel.messages import (
    ACK_FRAME,
    NACK_FRAME,
    Cmd,
    Envelope,
    HandleType,
    envelope_frame,
    is_internal,
    unwrap,
)
from nodechannel.outbox import Outbox, Write
from nodechannel.socketlist import Answer, Questions, Received
from nodechannel.state import CHANNEL, HAND_OVER, Channel, ChannelInput, HandOver, HandOverInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Protocol, TypeAlias

    from nodechannel.fd import OwnedFd

# [HND-016] A refused handle is written again this often; Node's own number.
MAX_RETRANSMISSIONS = 3

_ABOUT_SOCKETS = (
    Cmd.SOCKET_GET_COUNT,
    Cmd.SOCKET_COUNT,
    Cmd.SOCKET_NOTIFY_CLOSE,
    Cmd.SOCKET_ALL_CLOSED,
)


class Message:
    """A user message.

    Attributes:
        data: the value, as Python's JSON types.
        handle: the handle that came with it, or None.
    """

    __slots__ = ("data", "handle")

    def __init__(self, data: Any, handle: ReceivedHandle | None = None) -> None:
        self.data = data
        self.handle = handle

    def __repr__(self) -> str:
        return f"Message({self.data!r}{f', handle={self.handle!r}' if self.handle else ''})"


if TYPE_CHECKING:
    Event: TypeAlias = Message | RemoteError

    class Outgoing(Protocol):
        """A handle that the caller offers: described now, taken only once nothing can fail any more."""

        type: HandleType
        dgram_type: str | None
        key: str | None
        shared: bool

        def take(self) -> OwnedFd:
            """Make the descriptor ready for the peer and hand it over."""


class Connection:
    """One end of a channel with JSON serialization.

    Args:
        unsafe_integers: send integers beyond 2**53 - 1, which a JavaScript peer rounds, instead of refusing them.
        max_line: bytes of the longest line that is accepted.
    """

    def __init__(self, *, unsafe_integers: bool = False, max_line: int = LONGEST_LINE) -> None:
        self.outbox = Outbox()
        self._decode = codec.decode
        self._encode = codec.encode
        self._unsafe_integers = unsafe_integers
        self._framer = LineFramer(max_line)
        self._state = Channel.OPEN
        self._events: deque[Event] = deque()
        # Descriptors that no handle message has claimed yet, in order of arrival.
        self._pending_fds: deque[OwnedFd] = deque()
        self._truncated = False
        self._hand_over = HandOver.IDLE
        self._in_flight: Write | None = None
        # Messages behind the handle that is under way ([HND-010]), and their size in bytes.
        self._held: deque[Write] = deque()
        self._held_size = 0
        self._received_sockets = Received()
        self._counts = Questions()
        self._closings = Questions()
        # Called with the key of a received socket when it is closed, from wherever that happens; a front end brings
        # it to `socket_closed` in its own time.
        self.on_socket_closed: Callable[[str], None] = _nobody_counts
        # Called with every internal message that is not about handles, and with the handle that came with it, which it owns; in the
        # order of the stream, while bytes are taken in. It may send, but must neither raise nor close the channel.
        self.on_internal: Callable[[dict[str, Any], ReceivedHandle | None], None] = _nobody_listens

    # What the caller may ask.

    @property
    def connected(self) -> bool:
        """Whether messages can be sent, in Node's word."""
        return self._state is Channel.OPEN

    @property
    def closed(self) -> bool:
        """Whether the channel has ended; events may be left."""
        return self._state is Channel.CLOSED

    @property
    def settled(self) -> bool:
        """Whether everything sent was written and every handle was acknowledged or abandoned."""
        return not self.outbox and not self._held and self._hand_over is HandOver.IDLE

    @property
    def ready_to_close(self) -> bool:
        """Whether a disconnect has been waiting for what is now settled."""
        # [LIF-012]
        return self._state is Channel.DISCONNECTING and self.settled

    @property
    def queued_bytes(self) -> int:
        """Bytes of all messages that the kernel has not taken."""
        return self.outbox.size + self._held_size

    @property
    def undelivered(self) -> int:
        """Number of events that `next_event` would return."""
        return len(self._events)

    def next_event(self) -> Event | None:
        # [FLO-002]
        """Return the next message or the next error of the peer, in the order of the stream; None when there is none."""
        return self._events.popleft() if self._events else None

    def withdraw(self, event: Event) -> None:
        """Take back an event that its user has learned of otherwise."""
        if event in self._events:
            self._events.remove(event)

    # What this side wants.

    def send(self, message: object, handle: Outgoing | None = None) -> Delivery:
        """Queue a user message.

        Raises `ChannelClosed`, `InvalidMessage` or an error of taking the handle; then nothing was queued and the handle is untouched.
        """
        if (self._state, ChannelInput.SEND) not in CHANNEL:
            # [LIF-007, LIF-014, ERR-004]
            raise ChannelClosed("send")
        # [JSN-001, JSN-004, FLO-005]
        frame = self._encode(message, unsafe_integers=self._unsafe_integers)
        if self._looks_internal(frame):  # [CLS-005]
            raise InvalidMessage(
                "an object whose cmd begins with NODE_ is an internal message to every peer", "$.cmd"
            )
        return self._queue(frame, handle)

    def send_internal(self, message: dict[str, Any], handle: Outgoing | None = None) -> Delivery:
        """Queue an internal message, which is the caller's to get right, like a user message ([HND-010]).

        Raises `ChannelClosed` or an error of taking the handle; then nothing was queued and the handle is untouched.
        """
        if (self._state, ChannelInput.SEND) not in CHANNEL:
            raise ChannelClosed("send")
        return self._queue(self._encode(message), handle)

    def _queue(self, frame: bytes, handle: Outgoing | None) -> Delivery:
        delivery = Delivery()
        if handle is None:
            write = Write(frame, None, delivery)
        else:
            key_frame = None if handle.key is None else self._encode(handle.key)
            frame = envelope_frame(handle.type, frame, key_frame, handle.dgram_type)
            write = Write(frame, handle.take(), delivery, shared=handle.shared)
        self._dispatch(write)
        return delivery

    def get_connections(self, key: str) -> Answer:
        """Ask how many sockets of a key are open in the peer; raises `ChannelClosed`."""
        return self._ask(Cmd.SOCKET_GET_COUNT, key, self._counts)

    def notify_close(self, key: str) -> Answer:
        """Ask to be told when the last socket of a key is closed in the peer; raises `ChannelClosed`."""
        return self._ask(Cmd.SOCKET_NOTIFY_CLOSE, key, self._closings)

    def socket_closed(self, key: str) -> None:
        """A received socket of that key was closed in this process."""
        if self._received_sockets.closed(key):
            self._tell({"cmd": Cmd.SOCKET_ALL_CLOSED.value, "key": key})

    def _looks_internal(self, frame: bytes) -> bool:
        """Tell what the peer will make of a frame; its bytes count, not the Python objects that they were made from."""
        suspicious = frame.startswith(b"{") and (b"NODE_" in frame or b"\\u" in frame)
        return suspicious and is_internal(self._decode(frame))

    # [LIF-011]
    def disconnect(self) -> None:
        """End the channel once everything queued is delivered; see `ready_to_close`."""
        self._state = CHANNEL[self._state, ChannelInput.DISCONNECT]

    def close(self) -> None:
        """End the channel now: what is queued or not yet taken by the user is dropped and its descriptors are closed."""
        self._end(ChannelInput.CLOSE)
        for event in self._events:
            if isinstance(event, Message) and event.handle is not None:
                event.handle.close()
        self._events.clear()

    # [LIF-010]
    def finish(self) -> None:
        """Complete a disconnect: what was received stays readable."""
        self._end(ChannelInput.FLUSHED)

    # What happened outside.

    def receive_data(self, data: bytes, fds: Sequence[OwnedFd] = (), *, truncated: bool = False) -> None:
        """Take in what one `recvmsg` returned: bytes, descriptors, and whether the kernel dropped descriptors."""
        if fds:
            self._pending_fds.extend(fds)
        self._truncated |= truncated
        try:
            lines = self._framer.feed(data)
        except LineTooLong:
            lines = []
        for line in lines:
            self._receive_line(line)
        if self._framer.overflowed:  # [FRM-030]
            self._events.append(LineTooLong(self._framer.max_line))
            self._end(ChannelInput.CLOSE)
        # [HND-031]
        elif self._pending_fds and not self._framer.buffered:  # [HND-008]
            self._close_strays()

    def receive_eof(self) -> None:
        """The peer has closed or half-closed its end ([LIF-002]); an unfinished line is dropped ([FRM-029])."""
        if self._state is not Channel.CLOSED:
            self._end(ChannelInput.EOF)

    def written(self, count: int) -> None:
        """The kernel took `count` bytes of the outbox."""
        for write in self.outbox.advance(count):
            if write.delivery is not None:
                write.delivery.state = DeliveryState.WRITTEN
            if write is self._in_flight:
                self._hand_over = HAND_OVER[self._hand_over, HandOverInput.WRITTEN]

    def write_failed(self) -> None:
        """The peer is gone: what is queued cannot be delivered, what was received can still be read."""
        self._end(ChannelInput.WRITE_FAILED)

    # Receiving.

    def _receive_line(self, line: bytes) -> None:
        try:
            # [FLO-003]
            value = self._decode(line)
        except InvalidJson as error:
            # [FRM-026, ERR-001, ERR-003]
            self._events.append(error)
            return
        if type(value) is dict and is_internal(value):
            # [CLS-003]
            self._receive_internal(value)
        else:
            self._events.append(Message(value))

    def _receive_internal(self, value: dict[str, Any]) -> None:
        cmd = value["cmd"]
        if cmd == Cmd.HANDLE:
            self._receive_handle(unwrap(value))
        elif cmd == Cmd.HANDLE_ACK:
            self._receive_ack()
        elif cmd == Cmd.HANDLE_NACK:
            self._receive_nack()
        elif cmd in _ABOUT_SOCKETS:
            self._receive_socket_message(cmd, value)
        else:
            self.on_internal(value, None)

    def _receive_handle(self, value: dict[str, Any]) -> None:
        if not self._pending_fds:  # [HND-012]
            self.outbox.push(Write(NACK_FRAME))
            # [HND-037, HND-047]
            self._events.append(MissingDescriptor(truncated=self._truncated))
            self._truncated = False
            return
        # [HND-030]
        fd = self._pending_fds.popleft()
        # [HND-019, HND-034, HND-042]
        self.outbox.push(Write(ACK_FRAME))  # [HND-011] before the message is handed up
        try:
            envelope = Envelope.from_wire(value)
        except BadEnvelope as error:
            fd.close()
            self._events.append(error)
            return
        # [HND-038]
        handle = ReceivedHandle(envelope.type, fd, envelope.key, envelope.dgram_type)
        # [CLS-006, HND-048]
        if is_internal(envelope.msg):
            self.on_internal(envelope.msg, handle)
            return
        if envelope.type is HandleType.NET_SOCKET and envelope.key is not None:
            self._received_sockets.arrived(envelope.key)
            handle.on_closed = partial(self.on_socket_closed, envelope.key)
        self._events.append(Message(envelope.msg, handle))

    def _close_strays(self) -> None:
        while self._pending_fds:
            self._pending_fds.popleft().close()

    # Counting sockets that were handed over.

    def _ask(self, cmd: Cmd, key: str, questions: Questions) -> Answer:
        if (self._state, ChannelInput.SEND) not in CHANNEL:
            raise ChannelClosed("ask")
        self._tell({"cmd": cmd.value, "key": key})
        return questions.ask(key)

    # [SLS-019]
    def _tell(self, message: dict[str, Any]) -> None:
        """Queue an internal message; one that comes too late is of no interest to anybody."""
        if (self._state, ChannelInput.SEND) in CHANNEL:
            self.send_internal(message)

    def _receive_socket_message(self, cmd: str, value: dict[str, Any]) -> None:
        key, count = value.get("key"), value.get("count")
        # [SLS-018]
        if not isinstance(key, str):
            return
        # [SLS-010, SLS-012]
        if cmd == Cmd.SOCKET_GET_COUNT:
            known = self._received_sockets.count(key)
            if known is not None:
                self._tell({"cmd": Cmd.SOCKET_COUNT.value, "key": key, "count": known})
        elif cmd == Cmd.SOCKET_NOTIFY_CLOSE:
            # [SLS-014]
            if self._received_sockets.announce(key):
                self._tell({"cmd": Cmd.SOCKET_ALL_CLOSED.value, "key": key})
        elif cmd == Cmd.SOCKET_COUNT and isinstance(count, int):
            self._counts.answered(key, count)
        elif cmd == Cmd.SOCKET_ALL_CLOSED:
            self._closings.answered(key, 0)

    # Handing over.

    def _dispatch(self, write: Write) -> None:
        if self._hand_over is HandOver.IDLE:
            self._release(write)
        else:  # [HND-010]
            self._held.append(write)
            self._held_size += len(write.data)

    def _release(self, write: Write) -> None:
        if write.fd is not None:
            # [HND-017]
            self._hand_over = HAND_OVER[self._hand_over, HandOverInput.SEND]
            self._in_flight = write
        self.outbox.push(write)

    def _receive_ack(self) -> None:
        if (self._hand_over, HandOverInput.ACK) not in HAND_OVER:
            # [HND-051]
            self._events.append(UnexpectedAck(Cmd.HANDLE_ACK))
            return
        self._finish_hand_over(HandOverInput.ACK, DeliveryState.ACKNOWLEDGED)

    def _receive_nack(self) -> None:
        write = self._in_flight
        if write is None or write.delivery is None or (self._hand_over, HandOverInput.NACK) not in HAND_OVER:
            self._events.append(UnexpectedAck(Cmd.HANDLE_NACK))
            return
        delivery = write.delivery
        delivery.refusals += 1
        if delivery.refusals > MAX_RETRANSMISSIONS:
            delivery.error = HandleAbandoned(delivery)
            self._events.append(delivery.error)
            self._finish_hand_over(HandOverInput.GIVE_UP, DeliveryState.ABANDONED)
            return
        self._hand_over = HAND_OVER[self._hand_over, HandOverInput.NACK]  # [HND-015]
        delivery.state = DeliveryState.QUEUED
        # [HND-024]
        self.outbox.push(write)

    def _finish_hand_over(self, how: HandOverInput, state: DeliveryState) -> None:
        self._hand_over = HAND_OVER[self._hand_over, how]
        write, self._in_flight = self._in_flight, None
        if write is not None:
            abandon([write], state)
        # [HND-020, HND-023]
        while self._held and self._hand_over is HandOver.IDLE:
            write = self._held.popleft()
            self._held_size -= len(write.data)
            self._release(write)

    # Ending.

    def _end(self, how: ChannelInput) -> None:
        """Move on, giving up what is on its way out and the descriptors that no message claimed."""
        self._state = CHANNEL[self._state, how]
        self.on_socket_closed = _nobody_counts
        # [HND-025]
        abandon(self.outbox.clear())
        abandon(self._held)
        self._held.clear()
        self._held_size = 0
        if self._in_flight is not None:
            abandon([self._in_flight])
        self._in_flight = None
        self._hand_over = HandOver.IDLE
        self._close_strays()


def _nobody_listens(_message: dict[str, Any], handle: ReceivedHandle | None) -> None:
    """Ignore an internal message ([CLS-004]); a descriptor is not kept."""
    if handle is not None:
        handle.close()


def _nobody_counts(key: str) -> None:
    """Ignore the end of a socket whose sender has gone."""


def abandon(writes: Iterable[Write], state: DeliveryState = DeliveryState.ABANDONED) -> None:
    """Put an end to deliveries: set their last state, and close or give back this side's copy of their descriptors."""
    for write in writes:
        if write.delivery is not None:
            write.delivery.state = state
        if write.fd is None:
            continue
        if state is DeliveryState.ABANDONED and write.delivery is not None and not write.shared:
            write.delivery.give_back(write.fd)
        else:
            write.fd.close()
