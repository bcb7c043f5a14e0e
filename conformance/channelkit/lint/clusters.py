"""Chapter 90 as a recording shows it: a worker and its primary."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from channelkit.lint.check import Check, Report
from channelkit.lint.handles import ENVELOPE
from channelkit.lint.sighting import Descriptor, Sighting, command_of
from channelkit.tap.descriptors import BOUND, DATAGRAM, SERVER
from channelkit.tap.record import DOWN, UP

CLUSTER = "NODE_CLUSTER"
_QUERY = ("index", "data", "address", "port", "addressType")
_FAMILIES = (4, 6, -1, None, "udp4", "udp6")
_MOST_PORT = 65535


@dataclass(slots=True)
class _Asked:
    """A message that waits for its answer."""

    seen: Sighting
    message: dict[str, Any]


@dataclass(slots=True)
class _Place:
    """A place: the question of a worker, and the answer."""

    message: dict[str, Any]
    errno: Any = None
    key: Any = None
    descriptor: Descriptor | None = None
    open: bool = True


@dataclass(slots=True)
class _Side:
    """A side as a sender of cluster messages."""

    numbers: set[Any] = field(default_factory=set)
    waiting: dict[Any, _Asked] = field(default_factory=dict)
    """Messages that wait for an answer, by their number."""


class Clusters(Check):
    """The channel between a primary and a worker."""

    def __init__(self, report: Report, header: dict[str, Any]) -> None:
        super().__init__(report)
        self._worker = header.get("worker")
        self._sides = {DOWN: _Side(), UP: _Side()}
        self._places: list[_Place] = []
        self._began = False
        self._goodbye = False
        self._ended_up = False

    @property
    def concerns(self) -> bool:
        """Whether the child is a worker."""
        return self._worker is not None

    def frame(self, seen: Sighting) -> None:
        """Judges a frame."""
        message, descriptor = seen.value, None
        if seen.command == ENVELOPE:
            message = message.get("msg")
            descriptor = seen.descriptors[0][1] if seen.descriptors else {}
        if command_of(message) == CLUSTER and seen.way == UP and not self.concerns and not self._began:
            self.broken("CLU-001", seen, "a worker without NODE_UNIQUE_ID", by=DOWN)
        if command_of(message) != CLUSTER:
            if seen.way == UP and self.concerns and not self._began:
                self._began = True
                self.broken("CLU-006", seen, "a message before `online`")
            return
        self._numbered(seen, message)
        if "ack" in message:
            self._answer(seen, message, descriptor)
        elif seen.way == UP:
            self._from_worker(seen, message)
        else:
            self._from_primary(seen, message, descriptor)

    def _numbered(self, seen: Sighting, message: dict[str, Any]) -> None:
        numbers, number = self._sides[seen.way].numbers, message.get("seq")
        if (
            message.get("act") == "online"
        ):  # perhaps of a program that took the place of the last one, and counts anew
            numbers.clear()
        if not isinstance(number, float | int) or isinstance(number, bool):
            self.broken("CLU-003", seen, f"the number {number!r:.40} of a message")
        elif number in numbers:
            self.broken("CLU-003", seen, f"the number {number:.0f} a second time")
        else:
            numbers.add(number)

    def _wait(self, seen: Sighting, message: dict[str, Any]) -> None:
        number = message.get("seq")
        if isinstance(number, float | int):
            self._sides[seen.way].waiting[number] = _Asked(seen, message)

    # ---- the worker

    def _from_worker(self, seen: Sighting, message: dict[str, Any]) -> None:
        act = message.get("act")
        if not self._began and self.concerns and act != "online":
            self.broken("CLU-006", seen, f"`{act}` before `online`")
        self._began = True
        if act == "queryServer":
            self._query(seen, message)
        elif act == "listening":
            self._listening(seen, message)
        elif act == "close":
            self._close(seen, message)
        elif act == "exitedAfterDisconnect":
            self._goodbye = True
            self._wait(seen, message)

    def _query(self, seen: Sighting, message: dict[str, Any]) -> None:
        missing = [name for name in _QUERY if name not in message]
        if missing:
            self.broken("CLU-007", seen, f"a question without {', '.join(missing)}")
        if isinstance(message.get("index"), str) or message.get("addressType", 4) not in _FAMILIES:
            self.broken(
                "CLU-007", seen, "a question with an index or a family of no kind that a primary knows"
            )
        if self._goodbye:
            self.broken("CLU-032", seen, "a question after the goodbye")
        if any(place.open and _same(place.message, message) for place in self._places):
            self.broken("CLU-008", seen, "a question for a place under an index that is used there")
        self._wait(seen, message)

    def _listening(self, seen: Sighting, message: dict[str, Any]) -> None:
        asked = [place for place in self._places if _listens(place.message, message)]
        if not asked:
            self.broken("CLU-007", seen, "a server listens and nobody asked for its place")
        # Node says `listening` of a server too that was closed at once.
        mine = [place for place in asked if place.open or _failed(place.errno)]
        if not mine:
            return
        place = mine[-1]
        if _failed(place.errno):
            self.broken("CLU-035", seen, f"a server listens although the answer was {place.errno!r}")
        port = place.message.get("port")
        if (
            place.descriptor
            and isinstance(port, float | int)
            and port > 0
            and _port(place.descriptor) not in (port, None)
        ):
            text = f"a server listens on port {_port(place.descriptor)}, and {port:.0f} was asked for"
            self.broken("CLU-040", seen, text)
            self.broken("CLU-016", seen, text)

    def _close(self, seen: Sighting, message: dict[str, Any]) -> None:
        mine = [place for place in self._places if place.open and place.key == message.get("key")]
        if "key" not in message or not mine:
            self.broken("CLU-025", seen, "a server is closed whose key is not that of an open one")
        for place in mine[:1]:
            place.open = False

    # ---- the primary

    def _from_primary(self, seen: Sighting, message: dict[str, Any], descriptor: Descriptor | None) -> None:
        if message.get("act") == "newconn":
            key = message.get("key")
            if descriptor is None:
                self.broken("CLU-038", seen, "an offer without a connection")
            elif descriptor.get("kind") == SERVER:
                self.broken("CLU-038", seen, "a listening socket is offered in the place of a connection")
            if not any(place.key == key for place in self._places):
                self.broken("CLU-038", seen, f"a connection under the key {key!r:.80}, which no answer gave")
            waiting = self._sides[DOWN].waiting.values()
            if any(one.message.get("act") == "newconn" and one.message.get("key") == key for one in waiting):
                self.broken("CLU-018", seen, "a connection before the last one is answered")
            self._wait(seen, message)

    # ---- answers

    def _answer(self, seen: Sighting, message: dict[str, Any], descriptor: Descriptor | None) -> None:
        side = self._sides[DOWN if seen.way == UP else UP]
        number = message.get("ack")
        asked = side.waiting.pop(number, None) if isinstance(number, float | int) else None
        if asked is None:
            if number not in side.numbers:
                self.broken(
                    "CLU-004", seen, f"an answer to {number!r:.40}, which is the number of no message"
                )
            elif side.waiting:
                self.broken("CLU-004", seen, f"an answer to {number!r:.40}, which waits for none")
            return
        act = asked.message.get("act")
        if act == "queryServer":
            self._answer_to_query(seen, asked.message, message, descriptor)
        elif act == "newconn":
            self._answer_to_offer(seen, asked.message, message)

    def _answer_to_query(
        self, seen: Sighting, query: dict[str, Any], message: dict[str, Any], descriptor: Descriptor | None
    ) -> None:
        missing = [name for name in ("errno", "key", "data") if name not in message]
        if missing:
            self.broken("CLU-009", seen, f"an answer without {', '.join(missing)}")
        errno = message.get("errno")
        failed = _failed(errno)
        if not failed and errno not in (None, 0):
            self.broken("CLU-010", seen, f"the error number {errno!r:.40}")
        if not failed and _senseless(query):
            self.broken("CLU-015", seen, "a question that makes no sense is answered without an error")
        if not failed and any(place.open and _taken(place.message, query) for place in self._places):
            self.broken("CLU-033", seen, "a place whose socket the worker has is given again")
        shared = descriptor is not None
        if not failed and not shared and query.get("addressType") in (4, 6) and not message.get("sockname"):
            self.broken("CLU-011", seen, "an answer without `sockname`")
        if not failed and not shared and message.get("sockname"):
            self._address(seen, query, message["sockname"])
        if shared and descriptor is not None:
            self._shared(seen, query, descriptor)
        self._places.append(_Place(query, errno, message.get("key"), descriptor, not failed))

    def _address(self, seen: Sighting, query: dict[str, Any], address: Any) -> None:
        """Compares the place where the primary listens with the place that was asked for."""
        given = address if isinstance(address, dict) else {}
        port, asked = given.get("port"), query.get("port")
        right = isinstance(port, float | int) and 0 < port <= _MOST_PORT and asked in (0, port)
        if not right and query.get("addressType") in (4, 6):
            self.broken(
                "CLU-011", seen, f"the port {port!r:.40} in `sockname`, where {asked!r:.40} was asked for"
            )
        host, wanted = given.get("address"), query.get("address")
        if _bytes_of(host) and _bytes_of(wanted) and _bytes_of(host) != _bytes_of(wanted):
            self.broken(
                "CLU-011", seen, f"the address {host!r} in `sockname`, where {wanted!r} was asked for"
            )

    def _shared(self, seen: Sighting, query: dict[str, Any], descriptor: Descriptor) -> None:
        kind = descriptor.get("kind")
        # Node sends an unbound socket where the port is in use, and its worker finds out by the port.
        unbound = kind == BOUND and _port(descriptor) == 0 and query.get("port") == 0
        if kind not in (SERVER, BOUND, DATAGRAM) or unbound:
            self.broken("CLU-012", seen, f"a socket that is not bound, of the kind {kind}")

    def _answer_to_offer(self, seen: Sighting, offer: dict[str, Any], message: dict[str, Any]) -> None:
        accepted = message.get("accepted")
        if not isinstance(accepted, bool):
            self.broken("CLU-019", seen, f"an answer whose `accepted` is {accepted!r:.40}")
        elif accepted and not any(place.open and place.key == offer.get("key") for place in self._places):
            self.broken("CLU-020", seen, "a connection is accepted under a key of no open server")

    # ---- the end

    def ended(self, way: str) -> None:
        """Looks at a worker that goes without waiting."""
        if way == UP and not self._ended_up:
            self._ended_up = True
            for asked in self._sides[UP].waiting.values():
                if asked.message.get("act") == "exitedAfterDisconnect":
                    self.broken("CLU-029", asked.seen, "the channel is closed before the goodbye is answered")

    def finish(self) -> None:
        """Reports questions without an answer."""
        for asked in self._sides[UP].waiting.values():
            if self.late(asked.seen):
                act = asked.message.get("act")
                rule = "CLU-030" if act == "exitedAfterDisconnect" else "CLU-009"
                self.broken(rule, asked.seen, f"no answer to `{act}` in a second and more", by=DOWN)
                if act == "queryServer" and _senseless(asked.message):
                    self.broken("CLU-015", asked.seen, "no answer to a question that makes no sense", by=DOWN)
        for asked in self._sides[DOWN].waiting.values():
            if self.late(asked.seen):
                self.broken("CLU-019", asked.seen, "no answer to `newconn` in a second and more", by=UP)


def _bytes_of(address: Any) -> bytes | None:
    """The bytes of an address in digits; None for a name and for the absence of both."""
    try:
        return ip_address(address).packed if isinstance(address, str) else None
    except ValueError:
        return None


def _failed(errno: Any) -> bool:
    return isinstance(errno, float | int) and not isinstance(errno, bool) and errno < 0


def _same(one: dict[str, Any], two: dict[str, Any]) -> bool:
    return all(one.get(name) == two.get(name) for name in ("address", "port", "addressType", "index", "fd"))


def _taken(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether a question is about a place that is taken: on a port that is given, the index does not tell places apart."""
    given = isinstance(two.get("port"), float | int) and two["port"] > 0
    names = ("address", "port", "addressType", *(() if given else ("index", "fd")))
    return all(one.get(name) == two.get(name) for name in names)


def _listens(query: dict[str, Any], message: dict[str, Any]) -> bool:
    """Whether `listening` is about the place of a question; a port that the question left open may differ."""
    names = ("addressType", "index") if "index" in message else ("addressType",)
    return all(query.get(name) == message.get(name) for name in names)


def _senseless(query: dict[str, Any]) -> bool:
    port, family = query.get("port"), query.get("addressType")
    if family not in _FAMILIES:
        return True
    if not isinstance(port, float | int):
        return port is not None
    return port > _MOST_PORT or (port < 0 and family in (4, 6))


def _port(descriptor: Descriptor) -> int | None:
    text = str(descriptor.get("local", "")).rpartition(":")[2]
    return int(text) if text.isdigit() else None
