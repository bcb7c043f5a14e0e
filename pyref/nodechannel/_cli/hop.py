"""The command `nodechannel hop`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodechannel import hop

if TYPE_CHECKING:
    import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "hop",
        help="find the stand-in for parents that can only start Node",
        description="hop.cjs runs in Node and gives its IPC channel on to any command: node hop.cjs COMMAND [ARGUMENT...]",
    )
    parser.add_argument("--print-path", action="store_true", required=True, help="print the path of hop.cjs")


def run_hop() -> int:
    """Print the path."""
    print(hop.path())
    return 0
