"""The command `nodechannel`."""

from __future__ import annotations

import argparse
import platform
import sys
from typing import TYPE_CHECKING

import nodechannel
from nodechannel._cli.cluster import add_commands, run_cluster, run_serve
from nodechannel._cli.hop import add_command as add_hop
from nodechannel._cli.hop import run_hop
from nodechannel.errors import (
    ChannelClosed,
    ChannelError,
    InvalidMessage,
    LocalError,
    NodeNotFound,
    RemoteError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodechannel import asyncio as aio

# The exit status when the command was used wrongly, which a missing channel is too.
USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status: 0 done, 1 the channel failed, 2 used wrongly."""
    parser = argparse.ArgumentParser(prog="nodechannel", description=nodechannel.__doc__)
    parser.add_argument("--version", action="version", version=f"nodechannel {nodechannel.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    echo_parser = commands.add_parser("echo", help='as a child: answer {"echo": m} to each message m')
    echo_parser.add_argument("--asyncio", action="store_true", help="use the asyncio front end")
    commands.add_parser("doctor", help="say what is found around this process")
    add_commands(commands)
    add_hop(commands)
    arguments = parser.parse_args(argv)
    if arguments.command == "doctor":
        return doctor()
    if arguments.command == "cluster":
        return run_cluster(arguments)
    if arguments.command == "serve":
        return run_serve(arguments)
    if arguments.command == "hop":
        return run_hop()
    try:
        return run_echo_asyncio() if arguments.asyncio else echo()
    except LocalError as error:
        print(f"nodechannel: {error}", file=sys.stderr)
        return USAGE


def echo() -> int:
    """Answer `{"echo": m}` to each message `m` until the channel closes; integers go back as exactly as they came."""
    channel = nodechannel.connect(unsafe_integers=True)
    while True:
        try:
            message = channel.receive()
            if message.handle is not None:
                message.handle.close()
            channel.send({"echo": message.data})
        except ChannelClosed:
            return 0
        except (RemoteError, InvalidMessage) as error:
            complain(error)


def run_echo_asyncio() -> int:
    """Run `echo_asyncio` in an event loop of its own."""
    import asyncio

    return asyncio.run(echo_asyncio())


async def echo_asyncio() -> int:
    """Do what `echo` does, with the asyncio front end."""
    from nodechannel import asyncio as aio

    channel = await aio.connect(unsafe_integers=True)
    while True:
        try:
            await answer(channel)
        except ChannelClosed:
            return 0
        except (RemoteError, InvalidMessage) as error:
            complain(error)


async def answer(channel: aio.Channel) -> None:
    """Echo one message."""
    message = await channel.receive()
    if message.handle is not None:
        message.handle.close()
    await channel.send({"echo": message.data})


def complain(error: ChannelError) -> None:
    """Report an error that does not end the channel."""
    print(f"nodechannel: {error.code}: {error}", file=sys.stderr, flush=True)


def doctor() -> int:
    """Print what this package finds around it: Python, JSON codec, Node, and the channel of this process, which is left alone."""
    import os

    from nodechannel._json.codec import fast_path
    from nodechannel._start.env import CHANNEL_FD, SERIALIZATION_MODE

    print(f"nodechannel    {nodechannel.__version__}")
    print(f"python         {platform.python_version()} ({sys.executable})")
    print(f"json           {fast_path()}")
    print(f"node           {describe_node()}")
    print(f"channel        {describe_channel(os.environ.get(CHANNEL_FD))}")
    print(f"serialization  {os.environ.get(SERIALIZATION_MODE) or 'json'}")
    return 0


def describe_node() -> str:
    """Return the version and path of the Node that `fork` would start."""
    import subprocess

    from nodechannel._start.spawn import find_node

    try:
        path = find_node()
    except NodeNotFound as error:
        return str(error)
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return f"{version} ({path})"


def describe_channel(value: str | None) -> str:
    """Return what NODE_CHANNEL_FD leads to, without taking the channel."""
    from nodechannel._start.env import check

    if not value:
        return "none: NODE_CHANNEL_FD is not set"
    try:
        return f"usable, descriptor {check(value)}"
    except LocalError as error:
        return f"unusable: {error}"
