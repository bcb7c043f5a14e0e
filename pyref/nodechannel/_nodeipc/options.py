"""The options of clients and servers, for type checkers."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, TypedDict


class AddressOptions(TypedDict, total=False):
    """The place of a server.

    Attributes:
        path: a Unix socket; made of the server's id if not given.
        version: the major version of `node-ipc` whose rule makes the path: 9 to 14; 14 if not given.
        appspace: the text before the id in the path; ``app.`` if not given.
        socket_root: the folder of the path, with a slash at its end.
        host: a name or an address for TCP and UDP; ``127.0.0.1`` if only `port` or `ssl` is given.
        port: the port for TCP and UDP; 8000 if only `host` or `ssl` is given.
        ssl: lets TCP speak TLS, with its certificates and its demands on the peer.
    """

    path: str | None
    version: int
    appspace: str
    socket_root: str | None
    host: str | None
    port: int | None
    ssl: ssl.SSLContext | None


class FrameOptions(TypedDict, total=False):
    """The way of values to bytes and back.

    Attributes:
        raw: bytes without frames: `send` takes bytes, and each read is an event of the type ``data``.
        max_frame: bytes of the longest frame that is accepted; 67,108,864 if not given. A longer frame ends its connection.
        unsafe_integers: send integers beyond 2**53 - 1, which a JavaScript peer rounds, instead of refusing them.
        allow_nan: send NaN and the infinities as null; the default. Without it they are refused.
        default: called with a value that JSON does not know; returns the value that is sent in its place.
    """

    raw: bool
    max_frame: int
    unsafe_integers: bool
    allow_nan: bool
    default: Callable[[Any], Any] | None


class ClientOptions(AddressOptions, FrameOptions, total=False):
    """Options of `connect`.

    Attributes:
        lifecycle: receive the events ``connect`` and ``disconnect`` too, for each connection in its place.
        retry: seconds before the first try to connect again; 0.5 if not given. Each further pause is twice as long.
        max_retry: the longest pause between two tries in seconds; 30 if not given.
        max_retries: the number of tries in a row before the client ends; without limit if not given.
        timeout: seconds that `connect` waits for the first connection; 10 if not given, without limit if None.
    """

    lifecycle: bool
    retry: float
    max_retry: float
    max_retries: int | None
    timeout: float | None


class ServerOptions(AddressOptions, FrameOptions, total=False):
    """Options of `serve`.

    Attributes:
        lifecycle: receive the events ``connect``, ``socket.disconnected`` and ``error`` too, each with its peer.
        mode: the permissions of the Unix socket; 0o600 if not given.
        replace: take the path of a server that still listens there.
        max_connections: the number of peers; 100 if not given. A further connection is closed at once.
        max_pending: bytes that may wait for a peer before `broadcast` gives it up; 8,388,608 if not given.
    """

    lifecycle: bool
    mode: int
    replace: bool
    max_connections: int
    max_pending: int


class UdpOptions(FrameOptions, total=False):
    """Options of `serve_udp`.

    Attributes:
        host: the socket's own address; ``127.0.0.1`` if not given.
        port: the socket's own port; 8000 if not given, any free port if 0.
        lifecycle: receive the events ``error`` too.
        max_peers: senders that `broadcast` reaches; 100 if not given. A new sender takes the place of the oldest.
    """

    host: str
    port: int
    lifecycle: bool
    max_peers: int
