"""The primary's part of the cluster protocol, without any I/O."""

from __future__ import annotations

import errno
from contextlib import suppress
from enum import Enum, auto
from functools import partial

from nodechannel._cluster.messages import CMD, Act, Policy, Query
from nodechannel._cluster.roundrobin import RoundRobin
from nodechannel._core.delivery import DeliveryState
from nodechannel._handles.types import HandleType
from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import ChannelClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from nodechannel._cluster.roundrobin import Later
    from nodechannel._core.delivery import Delivery
    from nodechannel._core.outgoing import Outgoing
    from nodechannel._handles.received import ReceivedHandle

    class Host(Protocol):
        """The owner of the sockets and processes; the protocol calls it for all I/O."""

        def later(self, delay: float, function: Callable[[], None], /) -> object:
            """Call a function after `delay` seconds."""

        def open(self, place: Place) -> None:
            """Create the socket of a place, then call `Place.opened` or `PrimaryProtocol.failed`, now or later."""

        def close(self, place: Place) -> None:
            """Close the socket of a place; the socket may not exist yet."""

        def online(self, worker: WorkerLink) -> None:
            """Report that a worker has started."""

        def listening(self, worker: WorkerLink, query: Query) -> None:
            """Report that a worker listens; the query has the real port."""

        def fault(self, worker: WorkerLink, error: Exception) -> None:
            """Report an exception that a message of a worker caused in this process."""


# The number of places that a worker may use. Without a limit, a worker that listens in a loop takes every descriptor of
# the primary.
MAX_PLACES = 256

# Seconds that a place without workers stays open for the successor of its last worker.
ORPHAN_TIMEOUT = 60.0


class PlaceState(Enum):
    """States of a place."""

    OPENING = auto()
    OPEN = auto()
    CLOSED = auto()


class Place:
    """A socket of the primary, and the workers that use it.

    Attributes:
        key: its name on the wire.
        query: the question of the first worker that asked for it.
        shared: whether each worker gets a copy of the socket; always true for UDP.
        state: opening, open or closed.
        fd: the socket, owned by the host, once the place is open.
        sockname: its address, for round robin over TCP.
        workers: the workers that use it.
        grants: how many workers were given it so far.
    """

    def __init__(self, key: str, query: Query, policy: Policy, later: Later) -> None:
        self.key = key
        self.query = query
        self.shared: bool = policy is Policy.SHARED or query.is_udp
        self.state: PlaceState = PlaceState.OPENING
        self.fd: int = -1
        self.sockname: dict[str, Any] | None = None
        self.workers: dict[WorkerLink, None] = {}
        self.grants: int = 0
        self.scheduler: RoundRobin = RoundRobin(key, later)
        self._asking: list[tuple[WorkerLink, dict[str, Any]]] = []

    def ask(self, worker: WorkerLink, reply: dict[str, Any]) -> None:
        """Give the place to a worker, or note its question until the socket exists."""
        self._add(worker)
        if self.state is PlaceState.OPEN:
            self._grant(worker, reply)
        else:
            self._asking.append((worker, reply))

    def opened(self, fd: int, sockname: dict[str, Any] | None) -> None:
        """Answer the waiting questions: the socket exists."""
        self.state = PlaceState.OPEN
        self.fd = fd
        self.sockname = sockname
        asking, self._asking = self._asking, []
        for worker, reply in asking:
            if worker in self.workers:
                self._grant(worker, reply)

    def failed(self, number: int) -> None:
        """Answer the waiting questions with an error: there is no socket ([CLU-010])."""
        self.state = PlaceState.CLOSED
        asking, self._asking = self._asking, []
        for worker, reply in asking:
            worker.refuse(self.key, reply, number, self.query.data)
        for worker in list(self.workers):
            self.remove(worker)

    def remove(self, worker: WorkerLink) -> None:
        """Note that a worker uses the place no longer."""
        self.workers.pop(worker, None)
        worker.places.discard(self)
        self.scheduler.leave(worker)

    def _add(self, worker: WorkerLink) -> None:
        self.workers[worker] = None
        worker.places.add(self)
        self.grants += 1

    def _grant(self, worker: WorkerLink, reply: dict[str, Any]) -> None:
        # [CLU-009, CLU-014]
        members = {"errno": 0 if self.shared else None, "key": self.key, **reply, "data": self.query.data}
        try:
            if self.shared:  # [CLU-012]
                type_ = HandleType.DGRAM_NATIVE if self.query.is_udp else HandleType.NET_NATIVE
                worker.send(members, Copy(type_, self.fd))
                return
            # [CLU-011]
            worker.send(members if self.sockname is None else {**members, "sockname": self.sockname})
        except ChannelClosed:
            return
        except OSError as error:  # no descriptor is left for the copy
            self.remove(worker)
            worker.refuse(self.key, reply, -(error.errno or errno.EMFILE), self.query.data)
            return
        self.scheduler.join(worker)


class Copy:
    """A copy of a descriptor, made when it is sent."""

    dgram_type: str | None = None
    key: str | None = None
    shared: bool = True

    def __init__(self, type_: HandleType, fd: int) -> None:
        self.type = type_
        self._fd = fd

    def take(self) -> OwnedFd:
        """Return the copy; raises `OSError` when the process has no descriptor left."""
        return OwnedFd.copy(self._fd)

    def return_to(self, delivery: Delivery) -> None:
        """Keep it: the caller still has the descriptor."""


class WorkerLink:
    """A worker, as the primary sees it.

    Args:
        id: its number, unique in this primary.
        send: queues an internal message, with or without a handle; raises `ChannelClosed`, or `OSError` of taking the handle.

    Attributes:
        online: whether the worker has sent `online`.
        exited_after_disconnect: whether the worker or the primary asked for the worker's end; Node's name.
        places: the places that the worker uses.
    """

    def __init__(
        self, id: int, primary: PrimaryProtocol, send: Callable[[dict[str, Any], Outgoing | None], Delivery]
    ) -> None:
        self.id = id
        self.online: bool = False
        self.exited_after_disconnect: bool = False
        self.places: set[Place] = set()
        self._primary = primary
        self._send_internal = send
        # The offered connections that have no answer yet, by the number of the offer.
        self._offers: dict[int, tuple[Delivery, Callable[[bool], None]]] = {}

    def send(self, members: dict[str, Any], handle: Outgoing | None = None) -> tuple[int, Delivery]:
        """Send a message of the cluster; return its number and its delivery. Raises the errors of the channel's `send`."""
        seq = self._primary.seq  # [CLU-003]
        delivery = self._send_internal({"cmd": CMD, **members, "seq": seq}, handle)
        self._primary.seq += 1
        return seq, delivery

    def refuse(self, key: str, reply: dict[str, Any], number: int, data: object) -> None:
        """Answer a question with an error."""
        self._try({"errno": number, "key": key, **reply, "data": data})

    def disconnect(self) -> None:
        """Ask the worker to close its servers, finish its connections and end ([CLU-027]); offer it no more connections."""
        self.exited_after_disconnect = True
        for place in self.places:
            place.scheduler.leave(self)
        self._try({"act": Act.DISCONNECT.value})

    def offer(self, key: str, connection: OwnedFd, answered: Callable[[bool], None]) -> None:
        """Offer a connection."""
        handle = Copy(HandleType.NET_NATIVE, connection.fileno())
        seq, delivery = self.send({"act": Act.NEW_CONNECTION.value, "key": key}, handle)
        self._offers[seq] = (delivery, answered)

    def gone(self) -> None:
        """Return the connections that the worker had not accepted: its channel has ended."""
        while self._offers:
            _, (_, answered) = self._offers.popitem()
            answered(False)

    def take_abandoned(self) -> list[Delivery]:
        """Return the connections that the worker's system refused for good to the scheduler; return their deliveries."""
        abandoned = [
            (seq, delivery)
            for seq, (delivery, _) in self._offers.items()
            if delivery.state is DeliveryState.ABANDONED
        ]
        for seq, _ in abandoned:
            self._offers.pop(seq)[1](False)
        return [delivery for _, delivery in abandoned]

    def receive(self, message: dict[str, Any], handle: ReceivedHandle | None = None) -> None:
        """Handle an internal message of the worker; close a handle that came with it, since no message of a worker carries a handle.

        Never raises: an exception would lose the messages behind this message.
        """
        if handle is not None:
            handle.close()
        if message.get("cmd") != CMD:
            return
        try:
            self._receive(message)
        except Exception as error:
            self._primary.host.fault(self, error)

    def _receive(self, message: dict[str, Any]) -> None:
        ack, act = message.get("ack"), message.get("act")
        if type(ack) in (int, float) and ack in self._offers:
            self._offers.pop(ack)[1](message.get("accepted") is True)
        elif act == Act.ONLINE:
            if not self.online:
                self.online = True
                self._primary.host.online(self)
        elif act == Act.QUERY_SERVER:
            self._primary.ask(self, message)
        elif act == Act.LISTENING:
            query = Query.from_wire(message)
            if query is not None:
                self._primary.host.listening(self, query)
        elif act == Act.CLOSE:
            self._primary.close_place(self, message.get("key"))
        elif act in (Act.EXITED_AFTER_DISCONNECT, Act.SUICIDE):
            self.exited_after_disconnect = True
            reply = _reply_to(message)
            if reply:
                self._try(reply)  # [CLU-030]

    def _try(self, members: dict[str, Any]) -> None:
        with suppress(ChannelClosed):
            self.send(members)


def _reply_to(message: dict[str, Any]) -> dict[str, Any]:
    """Return the member `ack` of the answer to a message ([CLU-004]), for any value of its `seq`."""
    return {"ack": message["seq"]} if "seq" in message else {}


class PrimaryProtocol:
    """The places that the workers of a primary listen at.

    Args:
        policy: how the workers get their connections.
        host: does the I/O.

    Attributes:
        seq: the number of the next message; all workers share the count.
        places: the places that are opening or open, by key.
    """

    def __init__(self, policy: Policy, host: Host) -> None:
        self.policy = policy
        self.host = host
        self.seq = 0
        self.places: dict[str, Place] = {}

    def ask(self, worker: WorkerLink, message: dict[str, Any]) -> None:
        """Answer a worker's question for a place, now or when the socket exists ([CLU-009])."""
        reply = _reply_to(message)
        query = Query.from_wire(message)
        if query is None:  # [CLU-015]
            worker.refuse("", reply, -errno.EINVAL, message.get("data"))
            return
        place = self.places.get(query.key)
        if place in worker.places:  # [CLU-033]
            worker.refuse(query.key, reply, -errno.EADDRINUSE, query.data)
        elif len(worker.places) >= MAX_PLACES:
            worker.refuse(query.key, reply, -errno.EMFILE, query.data)
        elif place is not None:  # [CLU-013]
            place.ask(worker, reply)
            self._expire(place)
        else:
            self._open(query, worker, reply)

    def _open(self, query: Query, worker: WorkerLink, reply: dict[str, Any]) -> None:
        place = self.places[query.key] = Place(query.key, query, self.policy, self.host.later)
        place.ask(worker, reply)
        try:
            self.host.open(place)
        except (
            Exception
        ) as error:  # a place that stays `OPENING` would leave every later question without an answer
            self.failed(place, -errno.EINVAL)
            self.host.close(place)
            self.host.fault(worker, error)
        self._expire(place)

    def failed(self, place: Place, number: int) -> None:
        """Forget a place whose socket cannot be created, so that the next question tries again ([CLU-041])."""
        self.places.pop(place.key, None)
        place.failed(number)

    def close_place(self, worker: WorkerLink, key: object) -> None:
        """Take a place from a worker that closed its server there."""
        place = self.places.get(key) if isinstance(key, str) else None
        if place is None or worker not in place.workers:
            return
        place.remove(worker)  # from this place alone [CLU-037]
        if not place.workers:  # [CLU-026]
            self._drop(place)

    def gone(self, worker: WorkerLink) -> None:
        """Take every place from a worker whose channel has ended. Places stay open for its successor. Safe to call again."""
        for place in list(worker.places):
            place.remove(worker)
            self._expire(place)
        worker.gone()

    def close(self) -> None:
        """Close every place."""
        for place in list(self.places.values()):
            self._drop(place)

    def _expire(self, place: Place) -> None:
        """Close a place that has no worker, unless a worker asks for it in time."""
        if not place.workers and self.places.get(place.key) is place:
            self.host.later(ORPHAN_TIMEOUT, partial(self._drop_orphan, place, place.grants))

    def _drop_orphan(self, place: Place, grants: int) -> None:
        if place.grants == grants and self.places.get(place.key) is place:
            self._drop(place)

    def _drop(self, place: Place) -> None:
        del self.places[place.key]
        place.state = PlaceState.CLOSED
        place.scheduler.close()
        for worker in list(place.workers):
            place.remove(worker)
        self.host.close(place)
