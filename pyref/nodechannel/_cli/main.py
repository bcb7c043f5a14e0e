"""The command `nodechannel`."""

from __future__ import annotations

import argparse
import platform
import sys
from typing import TYPE_CHECKING

import nodechannel
from nodechannel._cli import bridge, run
from nodechannel._cli.cluster import add_commands, run_cluster, run_serve
from nodechannel._cli.hop import add_command as add_hop
from nodechannel._cli.hop import run_hop
from nodechannel._cli.output import say
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

# The exit status of wrong use; a missing channel counts as wrong use.
USAGE = 2

DESCRIPTION = """Tools for programs that speak Node.js's channel (NODE_CHANNEL_FD): clusters of workers that share their ports, a lifeline
for a command, a bridge from Redis to a child, an echo child for tests, and a report about this process."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status: 0 done, 1 the channel failed, 2 used wrongly."""
    arguments = parser().parse_args(argv)
    if arguments.command == "run":
        return run.run(arguments)
    if arguments.command == "bridge":
        return bridge.run(arguments)
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
        say(str(error))
        return USAGE


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(prog="nodechannel", description=DESCRIPTION)
    found.add_argument(
        "--version",
        action="version",
        version=f"nodechannel {nodechannel.__version__}",
        help="print the version and exit",
    )
    commands = found.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_commands(commands)
    run.add_command(commands)
    bridge.add_command(commands)
    add_hop(commands)
    echo_parser = commands.add_parser(
        "echo",
        help="as a child of Node: echo each message",
        description='Runs as a child with a channel and answers {"echo": m} to each message m, until the channel closes.',
    )
    echo_parser.add_argument("--asyncio", action="store_true", help="use the asyncio front end")
    commands.add_parser(
        "doctor",
        help="print the Python, the JSON codec, the Node and the channel of this process",
        description="Prints the Python, the JSON codec, the Node and the channel of this process. The channel is not taken.",
    )
    return found


def echo() -> int:
    """Answer `{"echo": m}` to each message `m` until the channel closes; numbers are echoed as they came."""
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
    """Echo like `echo`, with the asyncio front end."""
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
    """Echo a message."""
    message = await channel.receive()
    if message.handle is not None:
        message.handle.close()
    await channel.send({"echo": message.data})


def complain(error: ChannelError) -> None:
    """Report an error that does not end the channel."""
    say(f"{error.code}: {error}")


def doctor() -> int:
    """Print the Python, the JSON codec, the Node and the channel of this process; the channel is not taken."""
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
    """Return a description of the descriptor in NODE_CHANNEL_FD, without taking the channel."""
    from nodechannel._start.env import check

    if not value:
        return "none: NODE_CHANNEL_FD is not set"
    try:
        return f"usable, descriptor {check(value)}"
    except LocalError as error:
        return f"unusable: {error}"
