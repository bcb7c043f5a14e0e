"""The primary's part of the cluster protocol, without any I/O."""

from __future__ import annotations

import errno
from contextlib import suppress
from enum import Enum, auto

from nodechannel._cluster.messages import CMD, Act, Policy, Query
from nodechannel._cluster.roundrobin import RoundRobin
from nodechannel._handles.fd import OwnedFd
from nodechannel._handles.types import HandleType
from nodechannel.errors import ChannelClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from nodechannel._cluster.roundrobin import Later
    from nodechannel._core.connection import Outgoing
    from nodechannel._core.delivery import Delivery
    from nodechannel._handles.received import ReceivedHandle

    class Host(Protocol):
        """What does the primary's I/O."""

        def later(self, delay: float, function: Callable[[], None], /) -> object:
            """Call a function after so many seconds."""

        def open(self, place: Place) -> None:
            """Make the socket of a place and call `opened` or `failed`, now or later."""

        def close(self, place: Place) -> None:
            """Close the socket of a place; it may still be in the making."""

        def online(self, worker: WorkerLink) -> None:
            """A worker has started."""

        def listening(self, worker: WorkerLink, query: Query) -> None:
            """A worker listens; the query has the real port."""


class PlaceState(Enum):
    """States of a place."""

    OPENING = auto()
    OPEN = auto()
    CLOSED = auto()


class Place:
    """One socket of the primary, and the workers that use it.

    Attributes:
        key: its name on the wire.
        query: what the first worker asked for.
        shared: whether the workers get the socket itself; so it is always with UDP.
        state: how far it has come.
        fd: the socket, owned by the host, once the place is open.
        sockname: its address, for round robin over TCP.
        workers: those that use it.
    """

    def __init__(self, key: str, query: Query, policy: Policy, later: Later) -> None:
        self.key = key
        self.query = query
        self.shared: bool = policy is Policy.SHARED or query.is_udp
        self.state: PlaceState = PlaceState.OPENING
        self.fd: int = -1
        self.sockname: dict[str, Any] | None = None
        self.workers: dict[WorkerLink, None] = {}
        self.scheduler: RoundRobin = RoundRobin(key, later)
        self._asking: list[tuple[WorkerLink, int | None]] = []

    def ask(self, worker: WorkerLink, seq: int | None) -> None:
        """A worker wants to use the place; it is answered as soon as the socket is there."""
        self.workers[worker] = None
        if self.state is PlaceState.OPEN:
            self._grant(worker, seq)
        else:
            self._asking.append((worker, seq))

    def opened(self, fd: int, sockname: dict[str, Any] | None) -> None:
        """The socket is there."""
        self.state = PlaceState.OPEN
        self.fd = fd
        self.sockname = sockname
        asking, self._asking = self._asking, []
        for worker, seq in asking:
            if worker in self.workers:
                self._grant(worker, seq)

    def failed(self, number: int) -> None:
        """There is no socket: tell everybody who asked ([CLU-010])."""
        self.state = PlaceState.CLOSED
        for worker, seq in self._asking:
            worker.refuse(self.key, seq, number, self.query.data)
        self.workers.clear()

    def _grant(self, worker: WorkerLink, seq: int | None) -> None:
        members: dict[str, Any] = {"errno": 0 if self.shared else None, "key": self.key}
        # [CLU-009, CLU-014]
        answer = {**members, **({} if seq is None else {"ack": seq}), "data": self.query.data}
        try:
            if self.shared:  # [CLU-012]
                type_ = HandleType.DGRAM_NATIVE if self.query.is_udp else HandleType.NET_NATIVE
                worker.send(answer, Copy(type_, self.fd))
                return
            # [CLU-011]
            worker.send(answer if self.sockname is None else {**answer, "sockname": self.sockname})
        except ChannelClosed:
            return
        except OSError as error:  # no descriptor for a copy
            del self.workers[worker]
            worker.refuse(self.key, seq, -(error.errno or errno.EMFILE), self.query.data)
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
        """Do nothing: the caller still has the descriptor."""


class WorkerLink:
    """One worker, as the primary sees it.

    Args:
        id: its number, unique in this primary.
        send: queues an internal message, with or without a handle; raises `ChannelClosed`, or `OSError` of taking the handle.

    Attributes:
        online: whether it has said that it is.
        exited_after_disconnect: whether its end was wished for, by itself or by the primary, in Node's word.
    """

    def __init__(
        self, id: int, primary: PrimaryProtocol, send: Callable[[dict[str, Any], Outgoing | None], Delivery]
    ) -> None:
        self.id = id
        self.online: bool = False
        self.exited_after_disconnect: bool = False
        self._primary = primary
        self._send_internal = send
        # What becomes of the connections that it was offered, by number and by delivery.
        self._offers: dict[int, tuple[Delivery, Callable[[bool], None]]] = {}

    def send(self, members: dict[str, Any], handle: Outgoing | None = None) -> tuple[int, Delivery]:
        """Send a message of the cluster; return its number and what becomes of it. Raises what the channel's `send` raises."""
        seq = self._primary.seq  # [CLU-003]
        delivery = self._send_internal({"cmd": CMD, **members, "seq": seq}, handle)
        self._primary.seq += 1
        return seq, delivery

    def refuse(self, key: str, seq: int | None, number: int, data: object) -> None:
        """Answer a question with an error."""
        self._try({"errno": number, "key": key, **({} if seq is None else {"ack": seq}), "data": data})

    def disconnect(self) -> None:
        """Ask the worker to close its servers, finish its connections and end ([CLU-027]); it is offered no more of them."""
        self.exited_after_disconnect = True
        self._primary.spare(self)
        self._try({"act": Act.DISCONNECT.value})

    def offer(self, key: str, connection: OwnedFd, answered: Callable[[bool], None]) -> None:
        """Offer a connection."""
        handle = Copy(HandleType.NET_NATIVE, connection.fileno())
        seq, delivery = self.send({"act": Act.NEW_CONNECTION.value, "key": key}, handle)
        self._offers[seq] = (delivery, answered)

    def gone(self) -> None:
        """The worker has ended: what it had not accepted is for others."""
        while self._offers:
            _, (_, answered) = self._offers.popitem()
            answered(False)

    def abandoned(self, delivery: Delivery) -> None:
        """The worker refused a handle for good; if it was a connection, another one may take it."""
        for seq, (offer, answered) in list(self._offers.items()):
            if offer is delivery:
                del self._offers[seq]
                answered(False)

    def receive(self, message: dict[str, Any], handle: ReceivedHandle | None = None) -> None:
        """Take in an internal message of the worker, and with it a handle that nobody wants."""
        if handle is not None:
            handle.close()
        if message.get("cmd") != CMD:
            return
        ack, act, seq = message.get("ack"), message.get("act"), message.get("seq")
        number = seq if type(seq) is int else None
        if type(ack) in (int, float) and ack in self._offers:
            self._offers.pop(ack)[1](message.get("accepted") is True)
        elif act == Act.ONLINE:
            self.online = True
            self._primary.host.online(self)
        elif act == Act.QUERY_SERVER:
            self._primary.ask(self, message, number)
        elif act == Act.LISTENING:
            query = Query.from_wire(message)
            if query is not None:
                self._primary.host.listening(self, query)
        elif act == Act.CLOSE:
            self._primary.close_place(self, message.get("key"))
        elif act in (Act.EXITED_AFTER_DISCONNECT, Act.SUICIDE):
            self.exited_after_disconnect = True
            if number is not None:
                self._try({"ack": number})  # [CLU-030]

    def _try(self, members: dict[str, Any]) -> None:
        with suppress(ChannelClosed):
            self.send(members)


class PrimaryProtocol:
    """The places that the workers of one primary listen at.

    Args:
        policy: how connections come to the workers.
        host: what does the I/O.

    Attributes:
        seq: the number of the next message; one count for all workers.
    """

    def __init__(self, policy: Policy, host: Host) -> None:
        self.policy = policy
        self.host = host
        self.seq = 0
        self.places: dict[str, Place] = {}

    def ask(self, worker: WorkerLink, message: dict[str, Any], seq: int | None) -> None:
        """A worker wants to listen."""
        query = Query.from_wire(message)
        if query is None:  # [CLU-015]
            worker.refuse("", seq, -errno.EINVAL, message.get("data"))
            return
        key = query.key
        place = self.places.get(key)
        if place is not None and worker in place.workers:  # [CLU-033]
            worker.refuse(key, seq, -errno.EADDRINUSE, query.data)
            return
        if place is None:  # [CLU-013]
            place = self.places[key] = Place(key, query, self.policy, self.host.later)
            place.ask(worker, seq)
            self.host.open(place)
        else:
            place.ask(worker, seq)

    def failed(self, place: Place, number: int) -> None:
        """The socket of a place cannot be made; the next worker that asks may have more luck."""
        self.places.pop(place.key, None)
        place.failed(number)

    def close_place(self, worker: WorkerLink, key: object) -> None:
        """A worker does not listen at a place any more."""
        place = self.places.get(key) if isinstance(key, str) else None
        if place is None or worker not in place.workers:
            return
        del place.workers[worker]  # of this place alone [CLU-037]
        place.scheduler.leave(worker)
        if not place.workers:  # [CLU-026]
            self._drop(place)

    def spare(self, worker: WorkerLink) -> None:
        """A worker is about to end: offer it nothing more."""
        for place in self.places.values():
            place.scheduler.leave(worker)

    def gone(self, worker: WorkerLink) -> None:
        """The channel of a worker has ended. Places stay open for its successor."""
        for place in self.places.values():
            place.workers.pop(worker, None)
        self.spare(worker)
        worker.gone()

    def close(self) -> None:
        """Close every place."""
        for place in list(self.places.values()):
            self._drop(place)

    def _drop(self, place: Place) -> None:
        del self.places[place.key]
        place.state = PlaceState.CLOSED
        place.scheduler.close()
        self.host.close(place)
