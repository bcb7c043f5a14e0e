"""``channelkit tap``: records the channel of a command, or of every process that a program starts; shows and converts recordings."""

import argparse
import sys
import tempfile
from collections.abc import Sequence

from channelkit.errors import KitError, UsageError
from channelkit.tap.follow import follow
from channelkit.tap.start import Observer, Settings, run

_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def main(argv: Sequence[str]) -> int:
    """The command line behind ``tap``; returns an exit status unless it becomes the command."""
    parser = argparse.ArgumentParser("channelkit tap", description=__doc__.partition(": ")[2])
    add(parser)
    own, command = divided(argv)
    arguments = parser.parse_args(own)
    try:
        return act(arguments, command)
    except KitError as error:
        print(f"channelkit: {error}", file=sys.stderr)
        return 2


def divided(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words before the first ``--``, and the command behind it."""
    words = list(argv)
    if "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.usage = (
        "%(prog)s [options] -o FILE|DIR -- COMMAND …\n       %(prog)s [options] --follow -o DIR -- COMMAND …"
    )
    parser.add_argument(
        "-o",
        dest="output",
        metavar="FILE|DIR",
        help="the recording, or a folder with a file for each channel; an existing file stays, and the new file gets a number",
    )
    parser.add_argument(
        "--follow", action="store_true", help="record every channel that the command and its descendants make"
    )
    parser.add_argument(
        "--redact", action="store_true", help="replace texts and numbers of messages, keep their shape"
    )
    parser.add_argument(
        "--limit", type=_size, metavar="SIZE", help="begin a new part after so many bytes, such as 64M"
    )
    parser.add_argument(
        "--keep",
        type=int,
        default=4,
        metavar="N",
        help="parts that stay, the first among them (default %(default)s)",
    )
    parser.add_argument("--show", action="store_true", help="print a line per message on standard error")
    parser.add_argument(
        "--lint", action="store_true", help="print broken rules on standard error as they happen"
    )
    parser.add_argument("--quiet", action="store_true", help="keep standard error empty")


def _size(text: str) -> int:
    unit = _UNITS.get(text[-1:].lower())
    return int(text[:-1]) * unit if unit else int(text)


def act(arguments: argparse.Namespace, command: list[str]) -> int:
    """Records. Raises :class:`UsageError`."""
    if not command:
        raise UsageError("tap needs a command behind `--`")
    live = arguments.show or arguments.lint
    if arguments.output is None and not live:
        raise UsageError("tap needs -o FILE, or -o DIR, unless it has --show or --lint")
    if arguments.follow and (live or arguments.output is None):
        raise UsageError(
            "--follow needs -o DIR and cannot show or lint: use `channelkit lint DIR` afterwards"
        )
    if live and arguments.limit is not None:
        raise UsageError("--show and --lint read a single file; leave --limit out")
    settings = Settings(
        arguments.output or tempfile.gettempdir(),
        arguments.redact,
        arguments.limit,
        arguments.keep,
        quiet=arguments.quiet,
    )
    if arguments.follow:
        return follow(settings, command)
    return run(settings, command, _observer(arguments) if live else None)


def _observer(arguments: argparse.Namespace) -> Observer:
    from channelkit.cli.live import Live  # a tap that only records needs none of these

    return Live(shows=arguments.show, lints=arguments.lint, keeps=arguments.output is not None).observe
