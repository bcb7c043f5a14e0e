"""Descriptors on both sides of a real process border: none is left over, even when the child's descriptor table is full."""

from __future__ import annotations

import resource
import socket
import sys

import pytest

from nodechannel import errors

NODE_CHILD = """
'use strict';
const fs = require('fs');
const open = () => fs.readdirSync('/dev/fd').length;
process.on('message', (message, socket) => {
  if (socket) socket.on('error', () => {}).on('close', () => process.send('closed')).destroy();
  else process.send(open());
});
process.on('disconnect', () => process.exit(0));
"""


def test_a_thousand_connections_leave_nothing_open_in_node(fork):
    with fork(NODE_CHILD) as child, socket.create_server(("127.0.0.1", 0)) as server:
        child.send("count")
        before = child.receive(timeout=20).data
        for _ in range(1000):
            with socket.create_connection(server.getsockname()) as client:
                child.send("connection", handle=server.accept()[0])
                assert client.recv(1) == b""
                assert child.receive(timeout=20).data == "closed"
        child.send("count")
        assert child.receive(timeout=20).data == before


PYTHON_CHILD = """
import os, resource, sys
import nodechannel

channel = nodechannel.connect()
kept = []
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
while True:
    try:
        message = channel.receive()
    except nodechannel.MissingDescriptor as error:
        assert error.truncated
        # Room again, after as many refusals as the message says.
        refused += 1
        if refused == patience:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        continue
    except nodechannel.ChannelClosed:
        break
    if message.handle is not None:
        message.handle.close()
        channel.send("got it")
    elif message.data == "count":
        channel.send(len(os.listdir("/dev/fd")))
    else:
        patience, refused = message.data, 0
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        channel.send("full")
"""


def test_a_child_without_room_refuses_and_gets_the_connection_in_the_end(api):
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft > 64
    with (
        api.spawn([sys.executable, "-c", PYTHON_CHILD]) as child,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        child.send("count")
        before = child.receive(timeout=20).data
        for patience in (1, 2, 3, 4) * 5:
            child.send(patience)
            assert child.receive(timeout=20).data == "full"
            with socket.create_connection(server.getsockname(), timeout=20) as client:
                connection, _ = server.accept()
                if patience < 4:
                    delivery = child.send("connection", handle=connection)
                    assert child.receive(timeout=20).data == "got it"
                    assert delivery.refusals == patience
                else:
                    with pytest.raises(errors.HandleAbandoned) as caught:
                        # The blocking front end learns of it while it sends.
                        child.send("connection", handle=connection)
                        child.receive(timeout=20)
                    caught.value.delivery.take_back().close()
                assert client.recv(1) == b""
        child.send("count")
        assert child.receive(timeout=20).data == before
