"""``channelkit runtimes [list | fetch | verify] [NAME…]``."""

import argparse

from channelkit.runtimes.fetch import FetchError, fetch, verify
from channelkit.runtimes.pinned import Runtime, cache_directory, named, runtimes


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument(
        "what",
        nargs="?",
        choices=("list", "fetch", "verify"),
        default="list",
        help="list them, download them, or compare the cache with the pins (default: list)",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="runtimes of the list (default: all that are not historical)"
    )
    parser.set_defaults(action=act)


def act(arguments: argparse.Namespace) -> int:
    """Lists, fetches or verifies; 3 when a runtime could not be fetched or its program has changed."""
    chosen = [named(name) for name in arguments.names] or [
        one for one in runtimes() if arguments.what == "list" or not one.historical
    ]
    if arguments.what == "list":
        print(f"cache: {cache_directory()}")
        for one in chosen:
            print(
                f"{one.name.ljust(10)}  {one.version.ljust(9)}  {one.state}{'  historical' * one.historical}"
            )
        return 0
    # The remaining runtimes are fetched also after a failure.
    return max([0, *((_fetch if arguments.what == "fetch" else _verify)(one) for one in chosen)])


def _fetch(one: Runtime) -> int:
    try:
        print(f"{one.name.ljust(10)}  {fetch(one)}", flush=True)
    except FetchError as error:
        print(f"{one.name.ljust(10)}  {error}", flush=True)
        return 3
    return 0


def _verify(one: Runtime) -> int:
    state = "as unpacked" if verify(one) else "CHANGED: delete it and fetch it again"
    print(f"{one.name.ljust(10)}  {state if one.is_there else one.state}", flush=True)
    return 3 if one.is_there and not verify(one) else 0
