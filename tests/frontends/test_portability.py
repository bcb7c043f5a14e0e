"""Constants that some systems lack have a fallback: the same exchange works without them."""

from __future__ import annotations

import subprocess
import sys


def run(program: str, *flags: str, limit: float = 30) -> subprocess.CompletedProcess[str]:
    """Run a program in a new interpreter, for at most `limit` seconds."""
    return subprocess.run(
        [sys.executable, *flags, "-c", program],
        capture_output=True,
        text=True,
        timeout=limit,
        process_group=0,
        check=False,
    )


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
    result = run(EXCHANGE)
    assert result.stdout == "handle False\nclosed\n", result.stderr


MACOS = """
import os, select, sys

for module, names in ((os, ("pidfd_open", "eventfd", "eventfd_write", "eventfd_read", "pipe2")), (select, ("epoll",))):
    for name in names:
        delattr(module, name)

import socket

for name in ("MSG_CMSG_CLOEXEC", "MSG_NOSIGNAL", "SO_PEERCRED"):
    delattr(socket, name)

import asyncio, selectors  # they choose by what is there
import nodechannel
import nodechannel.asyncio

assert selectors.DefaultSelector is selectors.PollSelector
CHILD = "import nodechannel; channel = nodechannel.connect(); [channel.send(message.data) for message in channel]"
command = [sys.executable, "-c", CHILD]

with nodechannel.spawn(command) as child:
    child.send("blocking")
    print(child.receive(60).data, child.fileno() == child._transport.fileno())
    child.disconnect(60)
    print(child.wait(60))
    try:
        nodechannel.spawn(command, lifeline=True)
    except nodechannel.LifelineUnsupported:
        print("no lifeline")

async def main():
    async with await nodechannel.asyncio.spawn(command) as child:
        await child.send("asyncio")
        print((await child.receive(60)).data)
        await child.disconnect(60)
        print(await child.wait(60))

asyncio.run(main())
"""


def test_without_the_means_of_linux():
    """As on macOS, but for kqueue: no pidfd, no eventfd, no epoll; both front ends start a child and see its end."""
    result = run(MACOS, limit=50)
    assert result.stdout == "blocking True\n0\nno lifeline\nasyncio\n0\n", result.stderr


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
    result = run(program, "-X", "utf8")
    assert result.stdout == "{'a': [1, -0.5, 'é', None]}\n", result.stderr
