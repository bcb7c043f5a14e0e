"""Constants that some systems lack have a fallback: the same exchange works without them."""

from __future__ import annotations

import subprocess
import sys

EXCHANGE = """
import os, socket

for name in ("MSG_CMSG_CLOEXEC", "MSG_NOSIGNAL"):  # macOS has neither
    delattr(socket, name)

import nodechannel

ours, theirs = socket.socketpair()
one, other = nodechannel.Channel(ours), nodechannel.Channel(theirs)
server = socket.create_server(("127.0.0.1", 0))
try:
    one.send("handle", handle=server, timeout=0)
except nodechannel.SendTimeout:
    pass
message = other.receive(timeout=10)
one.flush(timeout=10)
fd = message.handle.fileno()
print(message.data, os.get_inheritable(fd))
message.handle.close()
theirs.close()
other.close()
try:
    one.send("into nothing")
    one.flush()
except nodechannel.ChannelClosed:
    print("closed")
"""


def test_without_the_constants_of_linux():
    result = subprocess.run(
        [sys.executable, "-c", EXCHANGE],
        capture_output=True,
        text=True,
        timeout=30,
        process_group=0,
        check=False,
    )
    assert result.stdout == "handle False\nclosed\n", result.stderr


def test_without_orjson():
    program = """
import sys
sys.modules["orjson"] = None
import socket
import nodechannel
ours, theirs = socket.socketpair()
one, other = nodechannel.Channel(ours), nodechannel.Channel(theirs)
one.send({"a": [1, -0.5, "é", None]})
print(other.receive(timeout=10).data)
"""
    result = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        process_group=0,
        check=False,
    )
    assert result.stdout == "{'a': [1, -0.5, 'é', None]}\n", result.stderr
