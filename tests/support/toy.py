"""A second serialization of a few lines, to see that `Connection` knows no bytes: JSON behind a length of four bytes.

`ToyPeer` stands for the raw socket of a test that speaks lines: it translates both directions, descriptors included.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nodechannel._core.messages import is_internal, refuse_internal
from nodechannel.errors import InvalidJson, InvalidMessage, LineTooLong

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from nodechannel._handles.types import HandleType

LENGTH = 4


class ToyFramer:
    """Cuts the stream after as many bytes as each length says."""

    places = None

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self.error: LineTooLong | None = None
        self._rest = b""

    @property
    def buffered(self) -> int:
        return len(self._rest)

    def checkpoint(self) -> bytes:
        return self._rest

    def restore(self, checkpoint: bytes) -> None:
        self._rest, self.error = checkpoint, None

    def whole(self, data: bytes) -> list[bytes]:
        return []

    def feed(self, data: bytes) -> list[bytes]:
        self._rest += data
        bodies = []
        while len(self._rest) >= LENGTH and self.error is None:
            size = int.from_bytes(self._rest[:LENGTH], "big")
            if size > self.max_size:
                self.error = LineTooLong(self.max_size)
            elif len(self._rest) < LENGTH + size:
                break
            else:
                bodies.append(self._rest[LENGTH : LENGTH + size])
                self._rest = self._rest[LENGTH + size :]
        return bodies


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(LENGTH, "big") + body


def text(message: object) -> bytes:
    try:
        return json.dumps(message).encode()
    except TypeError as error:
        raise InvalidMessage(str(error)) from None


class Toy:
    """See `nodechannel._core.serialization.Serialization`."""

    mode = "toy"
    ack_body = text({"cmd": "NODE_HANDLE_ACK"})
    ack = framed(ack_body)
    nack = framed(text({"cmd": "NODE_HANDLE_NACK"}))

    def framer(self, max_size: int | None) -> ToyFramer:
        return ToyFramer(1 << 30 if max_size is None else max_size)

    def frame(self, message: object) -> bytes:
        if is_internal(message):
            raise refuse_internal("$")
        return framed(text(message))

    def frames(self, messages: list[object]) -> list[bytes]:
        for index, message in enumerate(messages):
            if is_internal(message):
                raise refuse_internal(f"$[{index}]")
        return [b"".join(framed(text(message)) for message in messages)]

    def internal_frame(self, message: dict[str, Any]) -> bytes:
        return framed(text(message))

    def envelope(
        self, message: object, type_: HandleType, key: str | None, dgram_type: str | None, *, internal: bool
    ) -> bytes:
        if not internal and is_internal(message):
            raise refuse_internal("$")
        extra = {"key": key, "dgramType": dgram_type}
        given = {name: value for name, value in extra.items() if value is not None}
        return framed(text({"cmd": "NODE_HANDLE", "type": type_.value, "msg": message, **given}))

    def decode(self, body: bytes | bytearray) -> Any:
        try:
            return json.loads(body)
        except ValueError as error:
            raise InvalidJson(str(error), bytes(body)) from None

    def decode_all(self, bodies: Sequence[bytes | bytearray]) -> list[Any]:
        return [self.decode(body) for body in bodies]


class ToyPeer:
    """The words of a socket, in lines; the toy's frames go through it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._unsent = b""
        self._framer = ToyFramer(1 << 30)
        self._unread = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: bytes) -> None:
        if frames := self._translated(data):
            self._sock.sendall(frames)

    def sendmsg(self, buffers: Sequence[bytes], ancillary: Sequence[Any] = ()) -> int:
        data = b"".join(buffers)
        self._sock.sendmsg([self._translated(data)], ancillary)
        return len(data)

    def _translated(self, data: bytes) -> bytes:
        *lines, self._unsent = (self._unsent + data).split(b"\n")
        return b"".join(map(self.framed, lines))

    def framed(self, line: bytes) -> bytes:
        return framed(line)

    def compact(self, body: bytes) -> bytes:
        return compact(body)

    def shutdown(self, how: int) -> None:
        self._send_unfinished()
        self._sock.shutdown(how)

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            self._send_unfinished()
        self._sock.close()

    def _send_unfinished(self) -> None:
        """Send the unfinished line with a length that is a byte too large."""
        if self._unsent:
            self._sock.sendall((len(self._unsent) + 1).to_bytes(LENGTH, "big") + self._unsent)

    def recv(self, size: int) -> bytes:
        return self.recvmsg(size)[0]

    def recvmsg(
        self, size: int, ancillary_size: int = 0, flags: int = 0
    ) -> tuple[bytes, list[Any], int, Any]:
        ancillary: list[Any] = []
        while not self._unread:
            data, more, _, _ = self._sock.recvmsg(65536, ancillary_size, flags)
            ancillary += more
            if not data:
                break
            self._unread = b"".join(self.compact(body) + b"\n" for body in self._framer.feed(data))
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken, ancillary, 0, None


def compact(body: bytes) -> bytes:
    """Return JSON as the reference's own serialization spells it."""
    return json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode()
