"""The command `nodechannel run`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from nodechannel._cli.output import say
from nodechannel.errors import BadChannelFd, LocalError

if TYPE_CHECKING:
    import argparse

# The exit statuses of shells: the command cannot be run, the command is not found.
CANNOT_RUN = 126
NOT_FOUND = 127

USAGE = 2


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    run = commands.add_parser(
        "run",
        help="run a command that ends when its parent dies",
        description="Replaces itself by the command, in the same process and with the channel untouched. When the parent dies, even by "
        "SIGKILL, the command and all its descendants get SIGTERM, and SIGKILL 0.4 seconds later. Linux only.",
    )
    run.add_argument("arguments", nargs="+", metavar="CMD", help="the command and its arguments, after --")


def run(arguments: argparse.Namespace) -> int:
    """Start the watcher and become the command; return the exit status when that fails."""
    command: list[str] = arguments.arguments
    try:
        _follow()
        os.execvp(command[0], command)
    except LocalError as error:
        say(str(error))
        return USAGE
    except OSError as error:
        say(f"{command[0]}: {error.strerror}")
        return NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_RUN


def _follow() -> None:
    """Tie this process to the other end of its channel, or to its parent if it has no usable channel."""
    from nodechannel._start.env import CHANNEL_FD, check
    from nodechannel._start.lifeline import follow_parent, follow_peer
    from nodechannel._transport.owned import socket_of_copy

    value = os.environ.get(CHANNEL_FD)
    if not value:
        follow_parent()
        return
    try:
        fd = check(value)
    except BadChannelFd:  # the command finds the fault, and says so
        follow_parent()
        return
    sys.stdout.flush()
    copy = socket_of_copy(fd)
    try:
        follow_peer(copy)
    finally:
        copy.close()
