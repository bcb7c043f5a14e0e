"""``channelkit fmt``: brings case files into their canonical form."""

import argparse
from pathlib import Path

from channelkit.catalogue.form import formatted
from channelkit.errors import UsageError
from channelkit.resources import find

DIFFERENT = 1
"""Exit status of ``--check`` when a file is not in canonical form."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument(
        "files", type=Path, nargs="*", metavar="FILE", help="case files (default: the kit's own catalogue)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write no file; exit status 1 when a file would change"
    )
    parser.set_defaults(action=act)


def act(arguments: argparse.Namespace) -> int:
    """Rewrites the files, or only compares them. Raises :class:`UsageError` for a file that holds no JSON."""
    changed = [file for file in arguments.files or own_files() if _changes(file, write=not arguments.check)]
    for file in changed:
        print(f"{file}: {'not in canonical form; run `channelkit fmt`' if arguments.check else 'rewritten'}")
    return DIFFERENT if changed and arguments.check else 0


def own_files() -> list[Path]:
    """The files of the kit's own catalogue, the glossary of flags included."""
    return sorted(find("cases").glob("*.json"))


def _changes(file: Path, *, write: bool) -> bool:
    """Whether the canonical form of a file differs from its text; with ``write``, the file gets it."""
    try:
        text = file.read_text("utf-8")
        canonical = formatted(text)
    except (OSError, UnicodeDecodeError, UsageError) as error:
        raise UsageError(f"{file}: {error}") from error
    if write and canonical != text:
        file.write_text(canonical, "utf-8")
    return canonical != text
