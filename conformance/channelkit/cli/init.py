"""``channelkit init-adapter LANG`` and ``channelkit copy DIR``: files of the kit, as a start or for use in a different place."""

import argparse
import shlex
import shutil
from pathlib import Path

from channelkit.errors import UsageError
from channelkit.resources import find

STARTS = {
    "bash": ("bash/echo.sh", "bash {}"),
    "c": ("c/echo.c", "./echo"),
    "node": ("node/echo.cjs", "node {}"),
    "perl": ("perl/echo.pl", "perl {}"),
    "python": ("python/echo.py", "python3 {}"),
    "rust": ("rust/echo.rs", "./echo"),
    "tcl": ("tcl/echo.tcl", "bash {}"),
}
"""Language to the adapter that is a start in it, and the command that starts it."""
COMPILERS = {"c": ("cc",), "rust": ("rustc", "-O")}
"""Languages that need a compiler, and its command."""
_COPIED = ("cases", "schemas", "requirements.json")


def add_init(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of ``init-adapter``."""
    parser.add_argument("language", choices=sorted(STARTS), help="the language of the program")
    parser.add_argument("target", nargs="?", type=Path, help="a file (default: echo.* here)")
    parser.set_defaults(action=init)


def init(arguments: argparse.Namespace) -> int:
    """Writes an echo child that passes; never over an existing file."""
    source = find(f"adapters/{STARTS[arguments.language][0]}")
    target: Path = arguments.target or Path(source.name)
    _refuse_existing(target)
    target.write_bytes(source.read_bytes())
    print(f"{target}: an echo child, rung 0. Judge it:")
    if arguments.language in COMPILERS:
        print(f"  {shlex.join([*COMPILERS[arguments.language], '-o', 'echo', str(target)])}")
    print(f'  channelkit run --child "{STARTS[arguments.language][1].format(target)}"')
    return 0


def add_copy(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of ``copy``."""
    parser.add_argument(
        "target", type=Path, metavar="DIR", help="the directory, which is made if it does not exist"
    )
    parser.set_defaults(action=copy)


def copy(arguments: argparse.Namespace) -> int:
    """Copies the cases, their schemas and the rules, for use by another runner."""
    _refuse_existing(arguments.target)
    arguments.target.mkdir(parents=True)
    for name in _COPIED:
        source = find(name)
        if source.is_dir():
            shutil.copytree(source, arguments.target / name)
        else:
            shutil.copyfile(source, arguments.target / name)
    print(f"{arguments.target}: {', '.join(_COPIED)}")
    return 0


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise UsageError(f"{target} exists already; give a new name")
