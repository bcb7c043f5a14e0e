"""The command `nodechannel bridge`."""

from __future__ import annotations

import argparse
import asyncio

from nodechannel._cli.output import say
from nodechannel._start.signals import SIGNALS, add_handlers
from nodechannel.errors import LocalError

USAGE, FAILED = 2, 1


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    bridge = commands.add_parser(
        "bridge",
        help="serve a Redis stream, node-ipc or standard input with children of the channel",
        usage="nodechannel bridge [options] SOURCE [KEY] -- CMD ...",
        description="Gives each message of a source to a child that is free; the child's next message is the answer. A message of a Redis "
        "stream is acknowledged when it was answered. SIGTERM or SIGINT gives the messages under way their grace; "
        "a second one ends at once.",
    )
    bridge.add_argument(
        "--children", type=int, default=1, metavar="N", help="children, each with one message at a time; 1"
    )
    bridge.add_argument(
        "--timeout", type=float, metavar="S", help="seconds for an answer before the child is ended; none"
    )
    bridge.add_argument(
        "--grace",
        type=float,
        default=10.0,
        metavar="S",
        help="seconds after a signal before messages under way are given up, unacknowledged; 10",
    )
    bridge.add_argument(
        "--group", default="nodechannel", metavar="NAME", help="the consumer group; nodechannel"
    )
    bridge.add_argument(
        "--claim-after",
        type=float,
        default=30.0,
        metavar="S",
        help="seconds without a sign of life after which a message goes to another bridge; 30",
    )
    bridge.add_argument(
        "words",
        nargs=argparse.REMAINDER,
        metavar="SOURCE [KEY] -- CMD",
        help="redis://HOST and a stream, node-ipc and an id, or stdio; then the command of a child",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until the source ends or a signal comes; return the exit status."""
    source, mark, command = _split(arguments.words)
    if not (mark and command and 1 <= len(source) <= 2):
        say("usage: nodechannel bridge [options] SOURCE [KEY] -- CMD ...")
        return USAGE
    try:
        asyncio.run(_serve(arguments, source, command))
    except (LocalError, ValueError) as error:
        say(str(error))
        return USAGE
    except OSError as error:
        say(f"the bridge cannot be built: {error}")
        return FAILED
    return 0


def _split(words: list[str]) -> tuple[list[str], bool, list[str]]:
    """Return the bytes before the first ``--``, whether there is one, and what stands behind it."""
    place = words.index("--") if "--" in words else len(words)
    return words[:place], place < len(words), words[place + 1 :]


async def _serve(arguments: argparse.Namespace, source: list[str], command: list[str]) -> None:
    from nodechannel._bridge.serving import Bridge
    from nodechannel._bridge.sources import open_source

    key = source[1] if len(source) > 1 else None
    opened = await open_source(source[0], key, arguments.group, arguments.claim_after)
    bridge = Bridge(opened, command, arguments.children, arguments.timeout, arguments.grace, say)
    loop = asyncio.get_running_loop()
    add_handlers(loop, SIGNALS, bridge.stop)
    await bridge.serve()
