"""The questions of a connection about an offered handle, and the class that answers them."""

from __future__ import annotations

import inspect
import socket
import typing

from nodechannel._core.outgoing import Outgoing
from nodechannel._handles.outgoing import SocketHandle


def test_a_socket_has_each_attribute():
    with socket.create_server(("127.0.0.1", 0)) as server:
        handle = SocketHandle(server)
        for name in typing.get_type_hints(Outgoing):
            assert hasattr(handle, name)


def test_a_socket_has_each_method_with_the_same_parameters():
    methods = inspect.getmembers(Outgoing, inspect.isfunction)
    named = {name: method for name, method in methods if not name.startswith("_")}
    assert list(named) == ["return_to", "take"]
    for name, method in named.items():
        assert list(inspect.signature(getattr(SocketHandle, name)).parameters) == list(
            inspect.signature(method).parameters
        )
