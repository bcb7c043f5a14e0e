"""The state machines of a cluster, as tables.

*A server of a worker.* The worker asks; the answer says whether the primary listens and hands out connections, whether the worker gets
the listening socket itself, or that it is not to be had. A caller that stopped waiting leaves a server behind that is given back as
soon as the answer arrives.

*The end of a worker.* The servers are closed first, in any case. A worker that leaves by its own wish then says so, and waits for the
answer, so that the primary knows that this is no crash.

A pair that is missing from a table is an illegal move: a local call has no effect, a message of the peer is ignored.
"""

from __future__ import annotations

from enum import Enum, auto


class Server(Enum):
    """States of a server of a worker."""

    ASKED = auto()
    WITHDRAWN = auto()  # the caller has stopped waiting for the answer
    ROUND_ROBIN = auto()  # the primary listens and hands out connections
    SHARED = auto()  # the worker has the socket
    FAILED = auto()
    CLOSED = auto()


class ServerInput(Enum):
    """The inputs of a server."""

    GRANTED = auto()
    HANDED_OVER = auto()
    REFUSED = auto()
    CLOSE = auto()


class Leave(Enum):
    """States of the end of a worker."""

    STAYING = auto()
    DISMISSED = auto()  # the primary asked for it
    RESIGNING = auto()  # the worker wishes it; the primary has not heard of it
    ANNOUNCED = auto()  # the primary has not answered yet
    RELEASED = auto()  # the end of the channel may follow


class LeaveInput(Enum):
    """The inputs of the end of a worker."""

    DISCONNECT = auto()  # the message of the primary
    RESIGN = auto()
    ANNOUNCE = auto()
    REPLY = auto()
    SERVERS_CLOSED = auto()


SERVER = {
    (Server.ASKED, ServerInput.GRANTED): Server.ROUND_ROBIN,
    (Server.ASKED, ServerInput.HANDED_OVER): Server.SHARED,
    (Server.ASKED, ServerInput.REFUSED): Server.FAILED,
    (Server.ASKED, ServerInput.CLOSE): Server.WITHDRAWN,
    (Server.WITHDRAWN, ServerInput.GRANTED): Server.CLOSED,
    (Server.WITHDRAWN, ServerInput.HANDED_OVER): Server.CLOSED,
    (Server.WITHDRAWN, ServerInput.REFUSED): Server.FAILED,
    (Server.ROUND_ROBIN, ServerInput.CLOSE): Server.CLOSED,
    (Server.SHARED, ServerInput.CLOSE): Server.CLOSED,
}

LEAVE = {
    (Leave.STAYING, LeaveInput.DISCONNECT): Leave.DISMISSED,
    (Leave.STAYING, LeaveInput.RESIGN): Leave.RESIGNING,
    (Leave.RESIGNING, LeaveInput.DISCONNECT): Leave.DISMISSED,
    (Leave.RESIGNING, LeaveInput.ANNOUNCE): Leave.ANNOUNCED,
    (Leave.DISMISSED, LeaveInput.SERVERS_CLOSED): Leave.RELEASED,
    (Leave.ANNOUNCED, LeaveInput.DISCONNECT): Leave.ANNOUNCED,
    (Leave.ANNOUNCED, LeaveInput.REPLY): Leave.RELEASED,
}
