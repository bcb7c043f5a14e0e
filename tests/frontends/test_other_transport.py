"""The shared suite once more with another transport: no part of a front end knows the system calls.

Left out is a property of the toy's socket: a peer that closes it with bytes unread takes back its own bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from frontends import test_channel, test_handles, test_socket_lists
from support.headers import DATA, HANDLE, HEADER, HeaderPeer, HeaderTransport
from support.headers import pair as new_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFT_OUT = {"test_what_a_peer_wrote_is_read_even_if_it_left_bytes_of_ours_unread"}


def shared(module: Any) -> dict[str, Any]:
    """Return the tests and fixtures of a module of the suite."""
    names = [name for name in vars(module) if name.lower().startswith("test") or name in {"server", "talk"}]
    return {name: getattr(module, name) for name in names if name not in LEFT_OUT}


globals().update({**shared(test_channel), **shared(test_handles), **shared(test_socket_lists)})


@pytest.fixture
def pair(api: Any) -> Iterator[tuple[Any, HeaderPeer]]:
    ours, theirs = new_pair()
    theirs.settimeout(20)
    channel, peer = api.channel(HeaderTransport(ours)), HeaderPeer(theirs)
    yield channel, peer
    channel.close()
    peer.close()


def test_each_write_has_its_header(pair: Any, server: Any) -> None:
    """The suite would not see it if both ends left the headers out."""
    channel, peer = pair
    channel.send(1)
    data, _, _, _ = peer._sock.recvmsg(1000, 100)
    assert data == HEADER.pack(DATA, 0, 2, 0) + b"1\n"
    assert (DATA, HANDLE) == (1, 2)
