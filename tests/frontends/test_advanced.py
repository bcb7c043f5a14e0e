"""The shared suite once more with `serialization="advanced"`; the peer's lines are translated to frames and back."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from frontends import test_channel, test_handles, test_socket_lists
from frontends.test_other_serialization import OF_BYTES, OF_JSON
from nodechannel._advanced.decode import decode
from nodechannel._advanced.encode import encode
from nodechannel._advanced.framing import LENGTH, FrameFramer
from support.toy import ToyPeer

if TYPE_CHECKING:
    from collections.abc import Iterator

# They look for the error of a bad line.
OF_LINES = {
    "test_an_error_divides_the_messages_that_are_received_at_once",
    "test_a_bad_line_is_raised_in_its_place_and_the_channel_goes_on",
}


class AdvancedPeer(ToyPeer):
    """The words of a socket, in lines; frames go through it."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._framer = FrameFramer()  # type: ignore[assignment]

    def framed(self, line: bytes) -> bytes:
        try:
            return encode(json.loads(line))
        except ValueError:
            return len(line).to_bytes(LENGTH, "big") + b"\xff" + line[1:]

    def _send_unfinished(self) -> None:
        if self._unsent:
            self._sock.sendall((len(self._unsent) + 2).to_bytes(LENGTH, "big") + b"\xff" + self._unsent)

    def compact(self, body: bytes) -> bytes:
        return json.dumps(decode(body), separators=(",", ":"), ensure_ascii=False).encode()


def shared(module: Any) -> dict[str, Any]:
    """Return the tests and fixtures of a module of the suite."""
    left_out = OF_JSON | OF_BYTES | OF_LINES
    names = [name for name in vars(module) if name.lower().startswith("test") or name in {"server", "talk"}]
    return {name: getattr(module, name) for name in names if name not in left_out}


globals().update({**shared(test_channel), **shared(test_handles), **shared(test_socket_lists)})


@pytest.fixture
def pair(api: Any) -> Iterator[tuple[Any, AdvancedPeer]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(20)
    channel, peer = api.channel(ours, serialization="advanced"), AdvancedPeer(theirs)
    yield channel, peer
    channel.close()
    peer.close()
