"""The core: an end of a channel as a state machine without any I/O.

An exception may come between any two instructions: a signal handler can raise, and so can Ctrl-C. Therefore each input is a record that
waits in a queue, and `consume` acts on a record and removes it as a transaction: a checkpoint of the state is kept until it is done.
The next caller finds the checkpoint of a transaction that was cut off, returns to it (`recover`), and begins again.

After every input, first write the `outbox`, then take from the left of `events` until none is left:

    inbox and take_in(), outbox.taken and account()                   the results of system calls
    receive_data(...), receive_eof(), write_failed()                  the events from outside
    frame(...), queue(...), send(...), disconnect(), close()          the wishes of this side
    outbox, ready_to_close                                            the duties of the caller
    events                                                            the news for the user
"""

from __future__ import annotations

from collections import deque
from functools import partial
from itertools import chain, repeat
from operator import itemgetter

from nodechannel._core.delivery import Delivery, DeliveryState
from nodechannel._core.handover import HandOvers
from nodechannel._core.message import ReceivedMessage
from nodechannel._core.messages import Cmd, is_internal
from nodechannel._core.outbox import Outbox, Write
from nodechannel._core.socketlist import Answer, Questions, ReceivedSockets
from nodechannel._core.state import CHANNEL, Channel, ChannelInput
from nodechannel._handles.received import ReceivedHandle
from nodechannel._handles.types import HANDLE_TYPES, NET_SOCKET
from nodechannel._transport.owned import own_all
from nodechannel._transport.rights import TRUNCATED, descriptors_in
from nodechannel.errors import (
    BadEnvelope,
    ChannelClosed,
    HandleAbandoned,
    MalformedMessage,
    MissingDescriptor,
    RemoteError,
    UnexpectedAck,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias, TypeVar

    from nodechannel._core.message import Message
    from nodechannel._core.outgoing import Outgoing
    from nodechannel._core.serialization import Body, Serialization
    from nodechannel._transport.owned import OwnedFd
    from nodechannel._transport.seam import Received

    Record = TypeVar("Record")
    Result = TypeVar("Result")

_WRITTEN = DeliveryState.WRITTEN
_HANDLE, _HANDLE_ACK, _HANDLE_NACK = Cmd.HANDLE, Cmd.HANDLE_ACK, Cmd.HANDLE_NACK
_ABOUT_SOCKETS = (
    Cmd.SOCKET_GET_COUNT,
    Cmd.SOCKET_COUNT,
    Cmd.SOCKET_NOTIFY_CLOSE,
    Cmd.SOCKET_ALL_CLOSED,
)

# Node's `send` returns false from this many queued bytes on ([LIF-009]).
HIGH_WATER = 131072

# Handles behind that under way before a sender of handles waits, since each of them takes a descriptor.
MOST_HANDLES = 128

# Descriptors that are kept while a line is unfinished: it is at most an envelope ([SEC-003]).
MOST_UNCLAIMED = 1

# For `_take_whole`: the message of a pair, and the second part of all pairs but the first.
_message_of = itemgetter(0)
_NOTHING = repeat(None)
# The place of the record that `list.pop` removes.
_FIRST = (0,)

# In the place of the events of a record as long as none were there; nothing is added to it.
_NEVER_STAGED: deque[Any] = deque(maxlen=0)

# Of ACK and NACK frames, whose delivery is never observed.
_UNOBSERVED = Delivery()


class Internal:
    """An internal message for `on_internal`, and the handle that came with it."""

    __slots__ = ("handle", "value")

    def __init__(self, value: dict[str, Any], handle: ReceivedHandle | None) -> None:
        self.value = value
        self.handle = handle


if TYPE_CHECKING:
    Event: TypeAlias = ReceivedMessage | RemoteError


class Connection:
    """An end of a channel.

    Args:
        serialization: how messages become bytes; see `Serialization`.
        max_line: see `ChannelOptions`.

    Attributes:
        mode: the name of the serialization.
        frame: return the frame of a user message, for `queue`; raises `InvalidMessage`. It has no effect, so any thread may call it.
        frames: return the frames of many user messages, in pieces for `queue`.
        places: see `Framer`. What a call has read to a place stands in the inbox as the number of bytes.
    """

    # Without a dictionary, which takes two kilobytes for this many members.
    __slots__ = (
        "_ack_body",
        "_decode",
        "_decode_all",
        "_framer",
        "_hand_over",
        "_internal_staged",
        "_pending_fds",
        "_received_sockets",
        "_serialization",
        "_staged",
        "_state",
        "_truncated",
        "_undo",
        "closed",
        "closings",
        "connected",
        "counts",
        "events",
        "faulty",
        "frame",
        "frames",
        "had_handles",
        "inbox",
        "mode",
        "on_internal",
        "on_socket_closed",
        "outbox",
        "places",
        "stopped",
        "unhindered",
    )

    def __init__(self, serialization: Serialization, *, max_line: int | None = None) -> None:
        self.outbox = Outbox()
        self._serialization = serialization
        self.mode = serialization.mode
        self._decode, self._decode_all = serialization.decode, serialization.decode_all
        self._framer = serialization.framer(max_line)
        self.places = self._framer.places
        # The serialization's own methods: a method in between would cost as much as the checks in them.
        self.frame, self.frames = serialization.frame, serialization.frames
        self._ack_body = serialization.ack_body
        # What the reading calls returned and nothing has been made of yet, in order; the call itself appends it.
        self.inbox: list[Received] = []
        # The events of the record that is being taken in, and how to return to the state before that record.
        self._staged: deque[Any] = _NEVER_STAGED
        self._internal_staged = False
        self._undo: tuple[Any, ...] | None = None
        self._state = Channel.OPEN
        # Whether messages can be sent, in Node's word; and whether, with an empty outbox, one may go to the kernel at once.
        self.connected = True
        self.unhindered = True
        # Whether the channel has ended; events may be left.
        self.closed = False
        # Whether this side wants no further message, although the channel may be open.
        self.stopped = False
        # The news for the user, in the order of the stream; a front end takes from the left ([FLO-002]).
        self.events: deque[Event] = deque()
        # Whether an error was ever among them.
        self.faulty = False
        # Whether a handle ever came.
        self.had_handles = False
        # Descriptors that no handle message has claimed yet, in order of arrival.
        self._pending_fds: list[OwnedFd] = []
        self._truncated = False
        self._hand_over = HandOvers(self.outbox)
        self._received_sockets = ReceivedSockets()
        self.counts = Questions()
        self.closings = Questions()
        # Called with the key of a received socket when it is closed, from wherever that happens; a front end brings
        # it to `socket_closed` in its own time.
        self.on_socket_closed: Callable[[str], None] = _nobody_counts
        # Called with every internal message that is not about handles, and with the handle that came with it, which it owns; in the
        # order of the stream, while bytes are taken in. It may send, but must neither raise nor close the channel.
        self.on_internal: Callable[[dict[str, Any], ReceivedHandle | None], None] = _nobody_listens

    # The questions of the caller.

    def arrived(self) -> bool:
        """Return whether a receiver need not wait any more: an event is there, or none can come."""
        return bool(self.events) or self.closed or self.stopped

    @property
    def settled(self) -> bool:
        """Whether all messages were written and every handle was acknowledged or abandoned."""
        return not self.outbox.size and self._hand_over.idle

    @property
    def ready_to_close(self) -> bool:
        """Whether a disconnect has been waiting for an end that is now reached."""
        # [LIF-012]
        return self._state is Channel.DISCONNECTING and self.settled

    @property
    def queued_bytes(self) -> int:
        """Bytes of all messages that the kernel has not taken."""
        return self.outbox.size + self._hand_over.held_size

    @property
    def crowded(self) -> bool:
        """Whether a sender has to wait, for bytes or for handles."""
        if self.unhindered:
            return self.outbox.size > HIGH_WATER
        return self.queued_bytes > HIGH_WATER or self.queued_handles > MOST_HANDLES

    @property
    def queued_handles(self) -> int:
        """Handles behind that under way."""
        return self._hand_over.waiting

    def withdraw(self, delivery: Delivery) -> None:
        """Take back the event of a refused handle, of which the user has learned otherwise."""
        for event in tuple(self.events):
            if isinstance(event, HandleAbandoned) and event.delivery is delivery:
                self._remove(event)

    def _remove(self, event: Event) -> None:
        while True:
            try:
                self.events.remove(event)
            except IndexError:  # another thread took an event while this event was compared with the rest
                continue
            except ValueError:  # another thread took it
                pass
            return

    def take_messages(self) -> list[Message]:
        """Remove and return the messages before the first error, which is raised when it comes first.

        Raises `IndexError` without an event. Several threads may call it: each event is taken by one of them.
        """
        if self.stopped:
            raise IndexError
        events = self.events
        taken: list[Any] = []
        try:
            taken.extend(map(deque.popleft, repeat(events)))
        except IndexError:  # the list keeps the messages that were taken until then
            if not taken:
                raise
        except BaseException:  # of a signal handler
            events.extendleft(reversed(taken))
            raise
        if self.faulty and set(map(type, taken)) != {ReceivedMessage}:
            errors = (index for index, event in enumerate(taken) if isinstance(event, RemoteError))
            first = next(errors, len(taken))
            events.extendleft(reversed(taken[max(first, 1) :]))
            if first == 0:
                del taken[1:]
                raise taken.pop()
            del taken[first:]
        return taken

    # Transactions.

    def attempt(self, act: Callable[[], Result]) -> Result:
        """Change the state as a transaction; see `consume`."""
        return self.consume(deque((None,)), lambda _: act())

    def consume(self, source: deque[Record], act: Callable[[Record], Result]) -> Result:
        """Act on the first record of `source` and remove it: both, or neither when an exception of a signal handler comes in between."""
        if self._undo is not None:
            self.recover()
        record = source[0]
        self._undo = (source, record, self._framer.checkpoint(), self._checkpoint())
        result = act(record)
        source.popleft()
        self._commit()
        return result

    def _commit(self) -> None:
        """End a transaction, and forget the removed writes."""
        self._undo = None
        self.outbox.commit()
        self._hand_over.commit()

    @property
    def amid_frame(self) -> bool:
        """Whether the bytes read so far end within a frame."""
        return self._framer.buffered > 0

    @property
    def unfinished(self) -> bool:
        """Whether `take_in` has anything to do, or to repair."""
        if self.inbox or self._staged or self._undo is not None:
            return True
        outbox = self.outbox
        return outbox.direct is not None or (bool(outbox.waiting) and outbox.unaccounted)

    def recover(self) -> None:
        """Return to the state before a transaction that was cut off. The caller holds the lock that the connection has."""
        if self._undo is not None:
            source, record, framer, checkpoint = self._undo
            self._framer.restore(framer)
            self._staged = _NEVER_STAGED
            if checkpoint is not None:
                self._restore(checkpoint)
            if not source or source[0] is not record:
                source.insert(0, record)
            self._undo = None
        elif self._staged:
            self._publish()
        outbox = self.outbox
        if outbox.direct is not None:
            outbox.account_direct()
        if outbox.waiting and outbox.unaccounted:
            self.account()

    def _checkpoint(self) -> tuple[Any, ...]:
        return (
            self.outbox.checkpoint(),
            self._hand_over.checkpoint(),
            tuple(self._pending_fds),
            (self._state, self.connected, self.unhindered, self.closed),
            (self.faulty, self._truncated, self.on_socket_closed),
        )

    def _restore(self, checkpoint: tuple[Any, ...]) -> None:
        outbox, hand_over, pending_fds, state, others = checkpoint
        self.outbox.restore(outbox)
        self._hand_over.restore(hand_over)
        self._pending_fds = list(pending_fds)
        self._state, self.connected, self.unhindered, self.closed = state
        self.faulty, self._truncated, self.on_socket_closed = others

    def _publish(self) -> None:
        """Hand up the events of a record: each event moves in one step."""
        staged = self._staged
        if not self._internal_staged:
            self.events.extend(map(deque.popleft, repeat(staged, len(staged))))
            return
        while staged:
            if type(staged[0]) is Internal:
                internal = staged.popleft()
                self.on_internal(internal.value, internal.handle)
            else:
                self.events.extend(map(deque.popleft, repeat(staged, 1)))
        self._internal_staged = False

    # The wishes of this side.

    def envelope(self, message: object, handle: Outgoing) -> bytes:
        """Return the frame of a user message in the envelope of its handle, for `queue`; raises `InvalidMessage`."""
        return self._envelope(message, handle, internal=False)

    def _envelope(self, message: object, handle: Outgoing, *, internal: bool) -> bytes:
        return self._serialization.envelope(
            message, handle.type, handle.key, handle.dgram_type, internal=internal
        )

    def queue(
        self, frames: bytes, handle: Outgoing | None = None, delivery: Delivery | None = None
    ) -> Delivery:
        """Queue the result of `frame` or `frames`, or with its handle that of `envelope`; the caller may have made the `delivery`.

        Raises `ChannelClosed` or an error of taking the handle; then no message was queued and the handle is untouched.
        """
        # [FLO-005]
        if handle is None and delivery is None and self.unhindered:
            return self.outbox.push(frames)
        if not self.connected:
            # [LIF-007, LIF-014, LIF-016, ERR-004]
            raise ChannelClosed("send")
        if handle is None:
            queue = self.outbox if self.unhindered else self._hand_over.held  # [HND-010]
            if delivery is None:
                return queue.push(frames)
            queue.put(Write(frames, delivery))
            return delivery
        delivery = self._hand_over.send(frames, handle.take(), delivery or Delivery(), shared=handle.shared)
        self._update_unhindered()
        return delivery

    def send(self, message: object, handle: Outgoing | None = None) -> Delivery:
        """Queue a user message; raises the errors of `frame` and `queue`."""
        if handle is None:
            return self.queue(self.frame(message))
        return self.queue(self.envelope(message, handle), handle)

    def send_internal(self, message: dict[str, Any], handle: Outgoing | None = None) -> Delivery:
        """Queue an internal message, which is the caller's to get right, like a user message ([HND-010]); raises the errors of `queue`."""
        if handle is None:
            return self.queue(self._serialization.internal_frame(message))
        return self.queue(self._envelope(message, handle, internal=True), handle)

    def get_connections(self, key: str, answer: Answer) -> None:
        """Ask how many sockets of a key are open in the peer; raises `ChannelClosed`."""
        self._ask(Cmd.SOCKET_GET_COUNT, key)
        self.counts.ask(key, answer)

    def notify_close(self, key: str, answer: Answer) -> None:
        """Ask to be told when the last socket of a key is closed in the peer; raises `ChannelClosed`."""
        self._ask(Cmd.SOCKET_NOTIFY_CLOSE, key)
        self.closings.ask(key, answer)

    def socket_closed(self, key: str) -> None:
        """A received socket of that key was closed in this process."""
        if self._received_sockets.closed(key):
            self._tell({"cmd": Cmd.SOCKET_ALL_CLOSED.value, "key": key})

    # [LIF-011]
    def disconnect(self) -> None:
        """End the channel once the whole queue is delivered, see `ready_to_close`; at once where no message can be delivered any more."""
        state = CHANNEL[self._state, ChannelInput.DISCONNECT]
        if state is Channel.CLOSED:
            self._end(ChannelInput.DISCONNECT)
        else:
            self._state = state
            self._update()

    def stop(self) -> None:
        """Give the user no further message; the channel stays open for the messages of this side."""
        self.stopped = True

    def close(self) -> None:
        """End the channel now: queued and unread messages are dropped, and their descriptors closed."""
        self._end(ChannelInput.CLOSE)
        for event in self.events:
            if isinstance(event, ReceivedMessage) and event.handle is not None:
                event.handle.close()
        self.events.clear()

    # [LIF-010]
    def finish(self) -> None:
        """Complete a disconnect: received messages stay readable."""
        self._end(ChannelInput.FLUSHED)

    # The events from outside.

    def receive_data(self, data: bytes, fds: Sequence[OwnedFd] = (), *, truncated: bool = False) -> None:
        """Take in bytes, the descriptors that came with them, and whether the kernel dropped descriptors."""
        self._pending_fds += fds
        self.inbox.append((data, (), TRUNCATED if truncated else 0, None))
        self.take_in()

    def take_in(self) -> None:
        """Take in the records of the inbox."""
        if self._undo is not None or self._staged or self.outbox.direct is not None or self.outbox.waiting:
            self.recover()
        inbox = self.inbox
        while inbox:
            if not self._take_whole(inbox[0]):
                self._take_record(inbox[0])

    def _take_whole(self, record: Received) -> bool:
        """Take in a record of whole plain messages, as most are; return False where there is more to it, and nothing has been done.

        Up to the last statement nothing changes. That one moves the messages to the events, and the record away, within calls written in C.
        """
        data, ancillary, flags, descriptors = record
        if ancillary or descriptors or flags & TRUNCATED or self._pending_fds or not self.unhindered:
            return False
        bodies = self._framer.whole(data)
        try:
            # [FLO-003]
            if len(bodies) == 1:
                values: Sequence[Any] = (self._decode(bodies[0]),)
            elif bodies:
                values = self._decode_all(bodies)
            else:
                return False
        except MalformedMessage:
            return False
        messages = []
        for value in values:
            if type(value) is dict and "cmd" in value and is_internal(value):
                return False
            message = ReceivedMessage()
            message.data = value
            message.handle = None
            messages.append(message)
        record_away = map(list.pop, (self.inbox,), _FIRST)
        self.events.extend(map(_message_of, zip(messages, chain(record_away, _NOTHING))))  # noqa: B905
        return True

    def _take_record(self, record: Received) -> None:
        """Take in any record, as a transaction."""
        inbox = self.inbox
        data, ancillary, flags, descriptors = record
        if ancillary:
            descriptors = deque(descriptors_in(ancillary))
            record = inbox[0] = (data, (), flags, descriptors)
        if descriptors:
            own_all(descriptors, self._pending_fds)
        # As `consume`; but where a record brings plain messages alone, the framer alone changes.
        plain = data and not (self._pending_fds or self.closed or flags & TRUNCATED)
        self._undo = (inbox, record, self._framer.checkpoint(), None if plain else self._checkpoint())
        if plain:
            self._take_bytes(data)
        else:
            self._take_in(data, flags)
        inbox.pop(0)
        if self._undo[3] is None:
            self._undo = None
        else:
            self._commit()
        self._publish()

    def _deepen(self) -> None:
        """Let the transaction that is under way be able to undo any change, because more than plain messages has come."""
        if self._undo is not None and self._undo[3] is None:
            source, record, framer, _ = self._undo
            self._undo = (source, record, framer, self._checkpoint())

    def _take_in(self, data: bytes | int, flags: int) -> None:
        """Take in the result of a read; its descriptors are among those pending already."""
        if not data:
            self.receive_eof()
            return
        if flags & TRUNCATED:
            self._truncated = True
        if self.closed:  # while the bytes were on their way here
            self._close_strays()
            return
        self._take_bytes(data)

    def _take_bytes(self, data: bytes | int) -> None:
        framer = self._framer
        if isinstance(data, int):
            assert self.places is not None
            bodies = self.places.filled(data)
        else:
            bodies = framer.feed(data)
        if bodies:
            self._receive_bodies(bodies)
        if framer.error is not None:  # [FRM-030]
            self._deepen()
            self._report(framer.error)
            self._end(ChannelInput.CLOSE)
        # [HND-031]
        elif self._pending_fds:
            self._close_strays(MOST_UNCLAIMED if framer.buffered else 0)  # [HND-008, SEC-003, WIN-048]

    def receive_eof(self) -> None:
        """The peer has closed or half-closed its end ([LIF-002]); an unfinished line is dropped ([FRM-029])."""
        if self._state is not Channel.CLOSED:
            self._end(ChannelInput.EOF)

    def written(self, count: int) -> None:
        """The kernel took `count` of the gathered bytes."""
        self.outbox.taken = count
        self.account()

    def account(self) -> None:
        """Account the bytes that the kernel took."""
        write = self.outbox.account()
        if write is not None:
            write.delivery.state = _WRITTEN
            if write.fd is not None:
                self._hand_over.write_done(write)
            self.outbox.drop()

    def write_failed(self) -> None:
        """The peer is gone: queued messages cannot be delivered, received messages can still be read."""
        self._end(ChannelInput.WRITE_FAILED)

    # Receiving.

    def _receive_bodies(self, bodies: Sequence[Body]) -> None:
        # All that comes while a handle is waited for, as every peer writes it.
        if len(bodies) == 1 and bodies[0] == self._ack_body:
            self._deepen()
            self._receive_ack()
            return
        try:
            # [FLO-003]
            values = self._decode_all(bodies) if len(bodies) > 1 else [self._decode(bodies[0])]
        except MalformedMessage:
            self._receive_faulty(bodies)
        else:
            self._receive_values(values)

    def _receive_faulty(self, bodies: Sequence[Body]) -> None:
        """Take each body for itself, because a body is malformed."""
        for body in bodies:
            try:
                value = self._decode(body)
            except MalformedMessage as error:
                # [FRM-026, ERR-001, ERR-003] Without its traceback and the error before it: they would keep every frame and the whole text.
                error.__traceback__ = error.__context__ = None
                self._report(error)
            else:
                self._receive_values([value])

    def _receive_values(self, values: list[Any]) -> None:
        append = self._stage().append
        for value in values:
            if type(value) is dict and "cmd" in value and is_internal(value):
                # [CLS-003]
                self._receive_internal(value)
            else:
                message = ReceivedMessage()
                message.data = value
                message.handle = None
                append(message)

    def _stage(self) -> deque[Any]:
        """Return the place of the events of the record, made by the first use: most records come without."""
        if self._staged is _NEVER_STAGED:
            self._staged = deque()
        return self._staged

    def _report(self, error: RemoteError) -> None:
        """Put an error into its place among the messages."""
        self.faulty = True
        self._stage().append(error)

    def _receive_internal(self, value: dict[str, Any]) -> None:
        self._deepen()
        cmd = value["cmd"]
        if cmd == _HANDLE:
            self._receive_handle(value)
        elif cmd == _HANDLE_ACK:
            self._receive_ack()
        elif cmd == _HANDLE_NACK:
            self._receive_nack()
        elif cmd in _ABOUT_SOCKETS:
            self._receive_socket_message(cmd, value)
        else:
            self._hand_internal(value, None)

    def _hand_internal(self, value: dict[str, Any], handle: ReceivedHandle | None) -> None:
        """Put an internal message into its place among the events, for `on_internal`."""
        self._internal_staged = True
        self._stage().append(Internal(value, handle))

    def _receive_handle(self, value: dict[str, Any]) -> None:
        data = value.get("msg")
        # A refused handle comes again as an envelope inside an envelope; both mean the same handle and get a single acknowledgement.
        while type(data) is dict and data.get("cmd") == _HANDLE:  # [HND-013, HND-014]
            value, data = data, data.get("msg")
        if not self._pending_fds:  # [HND-012]
            self.outbox.put(Write(self._serialization.nack, _UNOBSERVED))
            # [HND-037, HND-047]
            self._report(MissingDescriptor(truncated=self._truncated))
            self._truncated = False
            return
        # [HND-030]
        fd = self._pending_fds.pop(0)
        self.had_handles = True
        # [HND-019, HND-034, HND-042]
        self.outbox.put(
            Write(self._serialization.ack, _UNOBSERVED)
        )  # [HND-011] before the message is handed up
        named = value.get("type")
        type_ = HANDLE_TYPES.get(named) if type(named) is str else None  # [SEC-007]
        if type_ is None:
            fd.close()  # [HND-053]
            self._report(BadEnvelope(f"its type {_shown(named)} is unknown", data))  # [HND-041, HND-057]
            return
        # [HND-038, HND-039, HND-040]
        key, dgram_type = value.get("key"), value.get("dgramType")
        handle = ReceivedHandle(
            type_, fd, key if type(key) is str else None, dgram_type if type(dgram_type) is str else None
        )
        # [CLS-006, HND-048]
        if is_internal(data):
            self._hand_internal(data, handle)
            return
        if handle.key is not None and type_ is NET_SOCKET:
            told = partial(self.on_socket_closed, handle.key)
            self._received_sockets.arrived(handle.key, handle, told)
        message = ReceivedMessage()
        message.data = data
        message.handle = handle
        self._stage().append(message)

    def _close_strays(self, but: int = 0) -> None:
        """Close the descriptors that no handle message has claimed, but for the oldest of them."""
        while len(self._pending_fds) > but:
            self._pending_fds.pop().close()

    # Counting sockets that were handed over.

    def _ask(self, cmd: Cmd, key: str) -> None:
        if not self.connected:
            raise ChannelClosed("ask")
        self._tell({"cmd": cmd.value, "key": key})

    # [SLS-019]
    def _tell(self, message: dict[str, Any]) -> None:
        """Queue an internal message; a message that comes too late has no reader."""
        if self.connected:
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
            self.counts.answered(key, count)
        elif cmd == Cmd.SOCKET_ALL_CLOSED:
            self.closings.answered(key, 0)

    # Handing over.

    def _receive_ack(self) -> None:
        if not self._hand_over.acknowledged():
            self._report(UnexpectedAck(Cmd.HANDLE_ACK))
        self._update_unhindered()

    def _receive_nack(self) -> None:
        delivery = self._hand_over.refused()  # [HND-054]
        if delivery is None:
            self._report(UnexpectedAck(Cmd.HANDLE_NACK))
        elif delivery.refused:
            self._report(HandleAbandoned(delivery))
        self._update_unhindered()

    def _update(self) -> None:
        self.connected = (self._state, ChannelInput.SEND) in CHANNEL
        self.closed = self._state is Channel.CLOSED
        self._update_unhindered()

    def _update_unhindered(self) -> None:
        self.unhindered = self.connected and self._hand_over.idle

    # Ending.

    def _end(self, how: ChannelInput) -> None:
        """Move on, giving up the frames on their way out, and at the end the descriptors that no message claimed."""
        self._state = CHANNEL[self._state, how]
        self._update()
        self.on_socket_closed = _nobody_counts
        self._hand_over.abandon_all()
        if self.closed:  # until then the rest of a handle's message may still be read
            self._close_strays()


def _nobody_listens(_message: dict[str, Any], handle: ReceivedHandle | None) -> None:
    """Ignore an internal message ([CLS-004]); a descriptor is not kept."""
    if handle is not None:
        handle.close()


def _shown(value: object) -> str:
    """Show a value of the peer in few characters, however long or deep it is."""
    return (
        f"{value!r:.40}"
        if isinstance(value, str) and len(value) <= 1000
        else f"of type {type(value).__name__}"
    )


def _nobody_counts(key: str) -> None:
    """Ignore the end of a socket whose sender has gone."""
