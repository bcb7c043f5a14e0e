"""The shared suite once more with another serialization: no part of a front end knows a line feed or JSON.

Left out are the tests of JSON itself, and those that count the bytes in the buffers of a socket.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from frontends import test_channel, test_handles, test_socket_lists
from support.toy import Toy, ToyPeer

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_JSON = {
    "test_unsafe_integers_are_sent_when_asked_for",
    "test_nan_is_null_unless_it_is_not_allowed",
    "test_the_longest_line_can_be_limited",
    "test_options_of_the_channel_can_be_given_to_spawn",
}
# They make channels of their own, count bytes in flight, or look for the path of a value.
OF_BYTES = {
    "test_two_ends_that_send_before_they_receive_do_not_block_each_other",
    "test_more_messages_than_every_buffer_holds_are_written_completely",
    "test_of_many_messages_none_is_sent_if_one_is_refused",
    "test_a_refused_message_writes_nothing",
    "test_a_task_closes_the_last_wherever_it_likes",
}


def shared(module: Any) -> dict[str, Any]:
    """Return the tests and fixtures of a module of the suite."""
    names = [name for name in vars(module) if name.lower().startswith("test") or name in {"server", "talk"}]
    return {name: getattr(module, name) for name in names if name not in OF_JSON | OF_BYTES}


globals().update({**shared(test_channel), **shared(test_handles), **shared(test_socket_lists)})


@pytest.fixture
def pair(api: Any) -> Iterator[tuple[Any, ToyPeer]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(20)
    channel, peer = api.channel(ours, serialization=Toy()), ToyPeer(theirs)
    yield channel, peer
    channel.close()
    peer.close()
