"""Seeded defects: each breaks the reference in a single way, or stands between it and its socket. The search has to find it.

This module imports neither Hypothesis nor a front end, because a defect is switched on before the rest of the reference is imported.
"""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from fuzz.frame_defects import FRAME_DEFECTS
from nodechannel._core import connection, handover
from nodechannel._core.connection import Connection
from nodechannel._core.outbox import Outbox
from nodechannel._core.state import Channel
from nodechannel._io import steps
from nodechannel._json import exact, framing, serialization
from nodechannel._json import loader as values
from nodechannel._json.serialization import JsonSerialization
from nodechannel._transport import bell, opening, unix
from nodechannel.errors import InvalidJson, InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Relay:
    """Stands between the reference and its transport. The written bytes may differ from the reported bytes."""

    def __init__(self, transport: Any, change: Callable[[bytes], bytes], *, lies: bool) -> None:
        self._transport = transport
        self._change = change
        self._lies = lies

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def send(self, data: bytes, flags: int = 0) -> int:
        """Write."""
        return self._write(data, self._transport.send, flags)

    def packed(self, data: bytes, fd: Any) -> tuple[Any, ...]:
        """Return the arguments of `send_with`."""
        return data, fd

    def send_with(self, data: bytes, fd: Any) -> int:
        """Write with a descriptor."""
        return self._write(
            data, lambda changed: self._transport.send_with(*self._transport.packed(changed, fd))
        )

    def _write(self, data: bytes, write: Callable[..., int], *flags: int) -> int:
        data = bytes(data)
        changed = self._change(data)
        if changed == data:
            taken = write(data, *flags)
            return len(data) if self._lies else taken
        if changed:
            write(changed, *flags)
        return len(data)


def _replace(old: Any, new: Any) -> None:
    """Replace a function in every module of the reference that imported it."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "nodechannel":
            for attribute, value in list(vars(module).items()):
                if value is old:
                    setattr(module, attribute, new)


def _through_relay(change: Callable[[bytes], bytes], *, lies: bool = False) -> None:
    send_step, send_now = steps.send_step, steps.send_now

    def relayed_step(transport: Any, connected: Any) -> Any:
        return send_step(Relay(transport, change, lies=lies), connected)  # type: ignore[arg-type]

    def relayed_now(transport: Any, connected: Any, frames: bytes) -> Any:
        return send_now(Relay(transport, change, lies=lies), connected, frames)  # type: ignore[arg-type]

    _replace(send_step, relayed_step)
    _replace(send_now, relayed_now)


def _decoding(change: Callable[[Any, bytes], Any]) -> None:
    decode = values.decode

    def changed(line: bytes) -> Any:
        return change(decode(line), line)

    def changed_lines(lines: list[bytes]) -> list[Any]:
        return [changed(line) for line in lines]

    _replace(decode, changed)
    _replace(values.decode_lines, changed_lines)


def lost_partial_write() -> None:
    """The rest of a write that the kernel took in part is forgotten."""
    _through_relay(lambda data: data, lies=True)


def missing_ack() -> None:
    """Handles are not acknowledged."""
    _through_relay(lambda data: data.replace(JsonSerialization.ack, b""))


def double_ack() -> None:
    """Handles are acknowledged twice."""
    _through_relay(lambda data: data.replace(JsonSerialization.ack, JsonSerialization.ack * 2))


def lost_at_the_border() -> None:
    """A read that begins with a line feed loses it."""
    feed = framing.LineFramer.feed

    def changed(self: framing.LineFramer, data: bytes) -> list[framing.Line]:
        return feed(self, data[1:] if self.buffered and data[:1] == b"\n" and len(data) > 1 else data)

    framing.LineFramer.feed = changed  # type: ignore[method-assign]


def full_read_loses_a_byte() -> None:
    """A read of as many bytes as Node reads at most loses the last byte."""
    receive = steps.receive_step

    def changed(transport: Any, connected: Connection, *, wait: bool = False) -> None:
        receive(transport, connected, wait=wait)
        data, *others = connected.inbox.pop()
        connected.inbox.append((data[:-1] if len(data) >= 65536 else data, *others))

    _replace(receive, changed)


def halved_characters() -> None:
    """Each read is decoded for itself, and a character whose bytes come in two reads is lost."""
    feed = framing.LineFramer.feed

    def changed(self: framing.LineFramer, data: bytes) -> list[framing.Line]:
        return feed(self, data.decode("utf-8", "replace").encode())

    framing.LineFramer.feed = changed  # type: ignore[method-assign]


def lone_surrogates_replaced() -> None:
    """A lone surrogate becomes a question mark."""

    def change(value: Any, line: bytes) -> Any:
        if b"\\u" not in line and b"\\U" not in line:
            return value
        return (
            json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
            if _finite(value)
            else value
        )

    _decoding(change)


def _finite(value: Any) -> bool:
    try:
        return bool(json.dumps(value, allow_nan=False))
    except (ValueError, RecursionError):
        return False


def stray_descriptors_leak() -> None:
    """A descriptor that no line claims is forgotten instead of closed."""

    def changed(self: Connection, but: int = 0) -> None:
        pending = self._pending_fds
        while len(pending) > but:
            pending.pop(0).detach()

    Connection._close_strays = changed  # type: ignore[method-assign]


def overtaking() -> None:
    """Messages do not wait behind a handle that is not acknowledged."""

    def changed(self: Connection) -> None:
        self.unhindered = self.connected

    Connection._update = changed  # type: ignore[method-assign]


def first_member_wins() -> None:
    """Of two members with the same name the first is taken."""

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(reversed(members))

    def change(value: Any, line: bytes) -> Any:
        try:
            return json.loads(line, object_pairs_hook=pairs) if isinstance(value, dict) else value
        except (ValueError, RecursionError):
            return value

    _decoding(change)


def minus_zero_lost() -> None:
    """The sign of a zero at the top of a message is lost."""
    _decoding(lambda value, line: 0 if type(value) is float and value == 0 else value)


def last_message_lost() -> None:
    """The message before the end of the stream is dropped, when its user has not taken it yet."""
    end = Connection.receive_eof

    def changed(self: Connection) -> None:
        if self.events and not self.closed:
            self.events.pop()
        end(self)

    take_in = Connection.take_in

    def late(self: Connection) -> None:
        # The end of a stream is often read together with the message before it.
        if self.inbox:
            data, *others = self.inbox[-1]
            if data.endswith(b"\n") and data.count(b"\n") > 2:
                self.inbox[-1] = (data[: data.rindex(b"\n", 0, -1) + 1], *others)
        take_in(self)

    Connection.receive_eof = changed  # type: ignore[method-assign]
    Connection.take_in = late  # type: ignore[method-assign]


def unfinished_line_delivered() -> None:
    """Half a message at the end of the stream is delivered when it happens to be JSON."""
    end = Connection.receive_eof

    def changed(self: Connection) -> None:
        if not self.closed and self._framer.buffered:
            self.receive_data(b"\n")
        end(self)

    Connection.receive_eof = changed  # type: ignore[method-assign]


def gives_up_at_once() -> None:
    """A handle is given up at the first refusal."""
    handover.MAX_RETRANSMISSIONS = 0


def descriptor_attached_again() -> None:
    """The descriptor rides on each part of an envelope that is written in parts."""
    gather = Outbox.gather

    def changed(self: Outbox) -> Any:
        data, _fd = gather(self)
        return data, self.waiting[0].fd

    Outbox.gather = changed  # type: ignore[method-assign]


def prefix_alone_is_internal() -> None:
    """A message whose cmd is exactly NODE_ disappears."""

    def changed(value: Any) -> bool:
        cmd = value.get("cmd") if isinstance(value, dict) else None
        return isinstance(cmd, str) and cmd.startswith("NODE_")

    connection.is_internal = changed  # type: ignore[attr-defined,assignment]
    serialization.is_internal = changed  # type: ignore[attr-defined,assignment]


def blank_lines_skipped() -> None:
    """A blank line is no error."""
    faulty = Connection._receive_faulty

    def changed(self: Connection, bodies: Sequence[framing.Line]) -> None:
        faulty(self, [line for line in bodies if line.strip()])

    Connection._receive_faulty = changed  # type: ignore[method-assign]


def disconnect_drops_the_queue() -> None:
    """A disconnect does not wait until all frames are written."""
    Connection.ready_to_close = property(lambda self: self._state is Channel.DISCONNECTING)  # type: ignore[assignment, method-assign]


def depth_is_limited() -> None:
    """A message of more than 500 levels is refused."""

    def change(value: Any, line: bytes) -> Any:
        if line.count(b"[") > 500:
            raise InvalidJson("too deep", line)
        return value

    _decoding(change)


def on_event_ends_the_supervision() -> None:
    """An exception of `on_event` leaves the code that tells of the event."""
    from nodechannel._cluster.events import Announcer

    def changed(self: Announcer, event: Any) -> None:
        if self._on_event is not None:
            self._on_event(event)

    Announcer._call = changed  # type: ignore[method-assign]


def odd_questions_raise() -> None:
    """Opening a place answers for errors of the system only, and the backlog is taken as it is."""
    from nodechannel._cluster.listening import Sockets
    from nodechannel._cluster.messages import BACKLOG, Query
    from nodechannel._cluster.places import error_number, open_socket, sockname
    from nodechannel._cluster.primary import Place, PrimaryProtocol

    def opened(self: Sockets, place: Place, primary: PrimaryProtocol) -> None:
        try:
            sock = open_socket(place.query, listening=not place.shared)
        except OSError as error:
            primary.failed(place, error_number(error))
            return
        self._sockets[place] = sock
        if not place.shared:
            self._loop.add_reader(sock, self._accept, place)
        place.opened(sock.fileno(), sockname(sock))

    def asked(self: PrimaryProtocol, query: Query, worker: Any, reply: Any) -> None:
        place = self.places[query.key] = Place(query.key, query, self.policy, self.host.later)
        place.ask(worker, reply)
        self.host.open(place)

    Sockets.open = opened  # type: ignore[method-assign]
    PrimaryProtocol._open = asked  # type: ignore[method-assign]
    Query.listen_backlog = property(lambda self: self.backlog or BACKLOG)  # type: ignore[assignment, method-assign]


def answers_wait_for_on_message() -> None:
    """A primary stops reading a worker while many of its messages wait."""
    from nodechannel._aio.channel import Channel as AioChannel
    from nodechannel._cluster.processes import WorkerProcess

    WorkerProcess._sated = AioChannel._sated  # type: ignore[method-assign]


def deep_members_are_shown() -> None:
    """The text of an error shows a value of the peer as it is."""
    connection._shown = repr  # type: ignore[assignment]


def errors_keep_their_traceback() -> None:
    """The error of a bad line keeps the frames in which it was raised, and the error before it."""

    def changed(self: Connection, bodies: Sequence[Any]) -> None:
        for body in bodies:
            try:
                try:
                    value = self._decode(body)
                except InvalidJson as error:
                    raise InvalidJson("again", bytes(body)) from error
            except InvalidJson as error:
                self._report(error)
            else:
                self._receive_values([value])

    Connection._receive_faulty = changed  # type: ignore[method-assign]


def unclaimed_descriptors_are_kept() -> None:
    """Descriptors at a line that does not end are kept, however many come."""
    connection.MOST_UNCLAIMED = 10**9


def owners_can_be_copied() -> None:
    """A handle can be copied and pickled, and its descriptor with it."""
    from nodechannel._handles.received import ReceivedHandle
    from nodechannel._transport.owned import OwnedFd

    del OwnedFd.__reduce__, ReceivedHandle.__reduce__


def cancelled_receive_takes_a_message() -> None:
    """A task that is cancelled in `receive` takes a message along that came meanwhile."""
    from asyncio import CancelledError

    from nodechannel._aio.channel import Channel as AioChannel

    receive = AioChannel.receive

    async def changed(self: AioChannel, timeout: float | None = None) -> Any:
        try:
            return await receive(self, timeout)
        except CancelledError:
            if self._events:
                self._events.popleft()
            raise

    AioChannel.receive = changed  # type: ignore[method-assign]


def forks_do_not_wait() -> None:
    """A fork does not wait for a thread that imports the JSON library, and nothing serves in the meantime."""
    from fuzz import surroundings

    # In the program that forks: the hooks of the fork keep the old lock.
    surroundings.PRELUDE = """codec._lock = threading.RLock()
codec._loading = type("Empty", (list,), {"__bool__": lambda self: False})()"""


def default_timeout_of_sockets() -> None:
    """A channel takes its socket as it is, with the limit that the process gives to new sockets."""
    _replace(opening._without_timeout, lambda sock: sock)


def whole_numbers_are_small() -> None:
    """A whole number beyond 2**53 is not sent, although the peer wrote it."""
    frame = JsonSerialization.frame

    def changed(self: JsonSerialization, message: object) -> bytes:
        if isinstance(message, int) and abs(message) > 2**53:
            raise InvalidMessage("too large")
        return frame(self, message)

    JsonSerialization.frame = changed  # type: ignore[method-assign]


def depth_is_not_looked_at() -> None:
    """A deep line is given to a reader that descends by recursion."""
    _replace(exact._is_deep, lambda text: False)


def bytes_in_a_local_name() -> None:
    """What was received is in a local name before the connection has it."""

    def changed(transport: Any, connected: Connection, *, wait: bool = False) -> None:
        (receive,) = transport.receive if wait else transport.receive_now
        try:
            received = receive()
            connected.inbox.append(received)
        except ConnectionError:
            connected.inbox.append(steps._END)

    changed.__code__ = changed.__code__.replace(co_filename=steps.__file__)
    _replace(steps.receive_step, changed)


def handles_are_read_ahead() -> None:
    """The asyncio front end reads as many handles ahead as messages."""
    from nodechannel._aio import channel

    channel.HANDLES_AHEAD = channel.READ_AHEAD


def limits_without_an_end() -> None:
    """A limit is given to the system as it is, however large."""
    for module in (bell, unix):
        vars(module)["LONGEST_WAIT"] = math.inf


def questions_are_kept() -> None:
    """A question that timed out waits for its answer for ever."""
    from nodechannel._core.socketlist import Questions

    Questions.give_up = lambda self, key, answer: None  # type: ignore[method-assign]


def delivery_in_a_cycle() -> None:
    """A delivery that keeps its descriptor keeps itself, and is freed by the cyclic collector."""
    from nodechannel._core.delivery import Delivery

    give_back = Delivery._give_back

    def changed(self: Any, fd: Any) -> None:
        give_back(self, fd)
        self.cycle = self

    Delivery._give_back = changed  # type: ignore[method-assign]


DEFECTS: dict[str, Callable[[], None]] = {
    switch.__name__.replace("_", "-"): switch
    for switch in (
        lost_partial_write,
        missing_ack,
        double_ack,
        lost_at_the_border,
        full_read_loses_a_byte,
        halved_characters,
        lone_surrogates_replaced,
        stray_descriptors_leak,
        overtaking,
        first_member_wins,
        minus_zero_lost,
        last_message_lost,
        unfinished_line_delivered,
        gives_up_at_once,
        descriptor_attached_again,
        prefix_alone_is_internal,
        blank_lines_skipped,
        disconnect_drops_the_queue,
        depth_is_limited,
        on_event_ends_the_supervision,
        odd_questions_raise,
        answers_wait_for_on_message,
        deep_members_are_shown,
        errors_keep_their_traceback,
        unclaimed_descriptors_are_kept,
        owners_can_be_copied,
        cancelled_receive_takes_a_message,
        forks_do_not_wait,
        default_timeout_of_sockets,
        whole_numbers_are_small,
        depth_is_not_looked_at,
        bytes_in_a_local_name,
        handles_are_read_ahead,
        limits_without_an_end,
        questions_are_kept,
        delivery_in_a_cycle,
        *FRAME_DEFECTS,
    )
}
"""Name of a defect to the function that switches it on, for the rest of the life of the process."""
