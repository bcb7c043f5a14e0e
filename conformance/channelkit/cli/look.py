"""``channelkit look``: a recording as a page, as lines, or as a trace for Perfetto."""

import argparse
import sys
from pathlib import Path

from channelkit.cli.damaged import told
from channelkit.errors import UsageError
from channelkit.look.lines import line
from channelkit.look.messages import Message, Messages
from channelkit.look.page import page
from channelkit.look.perfetto import trace
from channelkit.tap.reading import read


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("recording", type=Path, metavar="FILE", help="a recording of `channelkit tap`")
    parser.add_argument(
        "-o", dest="output", type=Path, metavar="FILE", help="where to write (default: beside the recording)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--show", action="store_true", help="print a line per message")
    form.add_argument("--export", choices=("perfetto",), help="write a trace for https://ui.perfetto.dev")
    parser.set_defaults(action=act)


def act(arguments: argparse.Namespace) -> int:
    """Writes or prints; 2 when the recording is damaged."""
    recording = read(arguments.recording)
    messages = Messages(recording.header)
    made = [message for entry in recording.entries for message in messages.add(entry)]
    messages.finish()
    if arguments.show:
        show(made)
        return told(arguments.recording, recording.damage)
    perfetto = arguments.export is not None
    target: Path = arguments.output or arguments.recording.with_suffix(".trace.json" if perfetto else ".html")
    text = trace(made) if perfetto else page(recording.header, made, messages.others)
    try:
        target.write_text(text, "utf-8", "backslashreplace")  # a command may have bytes that are no text
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}") from None
    print(f"{target}: {len(made)} messages")
    return told(arguments.recording, recording.damage)


def show(messages: list[Message]) -> None:
    """Prints lines, with colours in a terminal."""
    for message in messages:
        print(line(message, colours=sys.stdout.isatty()))
