"""A worker's part of the cluster protocol, without any I/O."""

from __future__ import annotations

import errno
from collections import deque
from contextlib import suppress

from nodechannel._cluster.messages import CMD, UNIX, Act, listen_failed
from nodechannel._cluster.state import LEAVE, SERVER, Leave, LeaveInput, Server, ServerInput
from nodechannel.errors import ChannelClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from nodechannel._cluster.messages import Query
    from nodechannel._handles.received import ReceivedHandle


class ServerLink:
    """The state of a server of a worker.

    Attributes:
        query: the question.
        key: the primary's name for it, opaque; None until the answer is there.
        sockname: the address that the primary listens on, as it said it.
        handle: the socket, under the shared policy; set to None by the code that takes it.
        error: libuv's number of the error, when the server is not to be had.
        connections: those that were accepted and not yet taken, under round robin.
        on_connection: called after each of them; must not raise.
    """

    __slots__ = ("connections", "error", "handle", "key", "on_connection", "query", "sockname", "state")

    def __init__(self, query: Query) -> None:
        self.query: Query = query
        self.state: Server = Server.ASKED
        self.key: str | None = None
        self.sockname: dict[str, Any] | None = None
        self.handle: ReceivedHandle | None = None
        self.error: int = 0
        self.connections: deque[ReceivedHandle] = deque()
        self.on_connection: Callable[[], None] | None = None

    @property
    def answered(self) -> bool:
        """Whether the primary has answered."""
        return self.state not in (Server.ASKED, Server.WITHDRAWN)

    @property
    def open(self) -> bool:
        """Whether connections may still come."""
        return self.state in (Server.ROUND_ROBIN, Server.SHARED)


class WorkerProtocol:
    """A worker: `receive` handles the messages of the primary, the other methods are requests of this side.

    Args:
        send: queues an internal message; raises `ChannelClosed`.

    Attributes:
        leave: how far the end of this worker has come.
        on_dismissed: called when the primary asks this worker to end; must not raise.
    """

    def __init__(self, send: Callable[[dict[str, Any]], object]) -> None:
        self._send_internal = send
        self._seq = 0
        self._servers: list[ServerLink] = []
        self._awaited: dict[int, ServerLink | None] = {}
        self.leave = Leave.STAYING
        self.on_dismissed: Callable[[], None] = _do_nothing

    @property
    def servers(self) -> list[ServerLink]:
        """Servers that are open."""
        return [server for server in self._servers if server.open]

    # Requests of this side.

    # [CLU-006]
    def online(self) -> None:
        """Say that this worker has started; raises `ChannelClosed`."""
        self._send({"act": Act.ONLINE.value})

    def ask(self, query: Query) -> ServerLink:
        """Ask for a place to listen; the answer comes into the returned object.

        Raises `ListenFailed` when this worker listens there already or is about to end, and `ChannelClosed`.
        """
        if self.leave is not Leave.STAYING:  # [CLU-032]
            raise listen_failed(-errno.ECANCELED, query)
        live = [server.query for server in self._servers if server.query.place == query.place]
        if live and query.port != 0:
            # [CLU-008] Primaries of several versions die of the second question.
            raise listen_failed(-errno.EADDRINUSE, query)
        used = {other.index for other in live}
        query = query._replace(index=next(index for index in range(len(used) + 1) if index not in used))
        server = ServerLink(query)
        seq = self._send({"act": Act.QUERY_SERVER.value, **query.to_wire()})
        self._awaited[seq] = server
        self._servers.append(server)
        return server

    # [CLU-017]
    def listening(self, server: ServerLink, port: int | None) -> None:
        """Say that a server listens, and on which port; raises `ChannelClosed`."""
        self._send({"act": Act.LISTENING.value, **server.query._replace(port=port).to_wire()})

    def close(self, server: ServerLink) -> None:
        """Give a server back. Accepted connections stay in `connections`. Safe to call again."""
        if (server.state, ServerInput.CLOSE) not in SERVER:
            return
        server.state = SERVER[server.state, ServerInput.CLOSE]
        if server.state is Server.CLOSED:
            self._give_back(server)

    def resign(self) -> None:
        """Begin to end by this worker's own wish. Safe to call again."""
        self._move(LeaveInput.RESIGN)

    def servers_closed(self) -> None:
        """The last connection has ended: say goodbye, if this worker ends by its own wish; raises `ChannelClosed`."""
        if self._move(LeaveInput.SERVERS_CLOSED):
            return
        if self._move(LeaveInput.ANNOUNCE):  # [CLU-029]
            self._awaited[self._send({"act": Act.EXITED_AFTER_DISCONNECT.value})] = None

    # Messages of the primary.

    def receive(self, message: dict[str, Any], handle: ReceivedHandle | None = None) -> None:
        """Take in an internal message, and with it the handle that came along."""
        if message.get("cmd") == CMD:
            handle = self._receive(message, handle)
        if handle is not None:
            handle.close()  # [CLU-034]

    def _receive(self, message: dict[str, Any], handle: ReceivedHandle | None) -> ReceivedHandle | None:
        """Act on a message; return the handle if it was not taken."""
        ack, act = message.get("ack"), message.get("act")
        if type(ack) in (int, float) and ack in self._awaited:
            server = self._awaited.pop(ack)
            if server is not None:
                return self._answered(server, message, handle)
            self._move(LeaveInput.REPLY)
        elif act == Act.NEW_CONNECTION:
            return self._offered(message, handle)
        elif act == Act.DISCONNECT and self._move(LeaveInput.DISCONNECT):
            self.on_dismissed()
        return handle  # [CLU-005]

    def _answered(
        self, server: ServerLink, message: dict[str, Any], handle: ReceivedHandle | None
    ) -> ReceivedHandle | None:
        server.error = _error_in(server.query, message, handle)
        how = (
            ServerInput.REFUSED
            if server.error
            else ServerInput.GRANTED
            if handle is None
            else ServerInput.HANDED_OVER
        )
        server.state = SERVER[server.state, how]
        if server.state is Server.FAILED:
            self._servers.remove(server)
            return handle
        server.key = message["key"]
        sockname = message.get("sockname")
        server.sockname = sockname if isinstance(sockname, dict) else None
        if server.state is Server.CLOSED:
            self._give_back(server)
            return handle
        server.handle = handle
        return None

    def _offered(self, message: dict[str, Any], handle: ReceivedHandle | None) -> ReceivedHandle | None:
        key = message.get("key")
        server = next(
            (one for one in self._servers if one.key == key and one.state is Server.ROUND_ROBIN), None
        )
        accepted = server is not None and handle is not None
        reply = {"accepted": accepted}
        seq = message.get("seq")
        # [CLU-004, CLU-019] before any code of the user
        try:
            self._send(reply if seq is None else {"ack": seq, **reply})
        except ChannelClosed:  # then the primary has it still, or is gone itself
            return handle
        if server is None or handle is None:
            return handle  # [CLU-020]
        server.connections.append(handle)
        if server.on_connection is not None:
            server.on_connection()
        return None

    def _give_back(self, server: ServerLink) -> None:
        if server in self._servers:  # it alone [CLU-036]
            self._servers.remove(server)
        if server.handle is not None:
            server.handle.close()
            server.handle = None
        with suppress(ChannelClosed):
            self._send({"act": Act.CLOSE.value, "key": server.key})  # [CLU-025]

    def _move(self, how: LeaveInput) -> bool:
        if (self.leave, how) not in LEAVE:
            return False
        self.leave = LEAVE[self.leave, how]
        return True

    # [CLU-003]
    def _send(self, members: dict[str, Any]) -> int:
        seq = self._seq
        self._send_internal({"cmd": CMD, **members, "seq": seq})
        self._seq += 1
        return seq


def _error_in(query: Query, message: dict[str, Any], handle: ReceivedHandle | None) -> int:
    """Return the error of an answer, 0 if there is none."""
    number = message.get("errno")
    if number:  # [CLU-035]
        return number if type(number) is int and number < 0 else -errno.EPROTO
    if not isinstance(message.get("key"), str) or (query.is_udp and handle is None):
        return -errno.EPROTO
    if "errno" not in message and handle is None and query.address_type != UNIX and "sockname" not in message:
        # Node 12 and earlier say no more than this when the host is unknown.
        return -errno.EADDRNOTAVAIL
    return 0


def _do_nothing() -> None:
    """Ignore the call."""
