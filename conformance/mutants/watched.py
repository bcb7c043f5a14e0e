"""Runs the mutants with a fault on the wire behind a tap, and says which faults the recordings show.

``python conformance/mutants/watched.py`` prints each mutant that stays unnoticed; ``-k NAME`` prints the findings of mutants with NAME in
their names. A mutant is noticed when a recording of a case that kills it shows a rule that it breaks.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from channelkit.catalogue.cases import Case  # noqa: E402
from channelkit.catalogue.loading import shipped  # noqa: E402
from channelkit.judge.execute import execute  # noqa: E402
from channelkit.judge.runner import posed  # noqa: E402
from channelkit.limits import Limits  # noqa: E402
from channelkit.lint.linter import lint  # noqa: E402
from channelkit.lint.table import SEEN  # noqa: E402
from channelkit.process import session  # noqa: E402
from channelkit.process.puppetlink import PuppetLink  # noqa: E402
from channelkit.tap.follow import words  # noqa: E402
from channelkit.tap.reading import read  # noqa: E402
from channelkit.tap.record import DOWN, UP  # noqa: E402
from channelkit.tap.start import Settings  # noqa: E402
from mutants.catalogue import MUTANTS, Mutant  # noqa: E402
from mutants.kill import committed, subject, write_sources  # noqa: E402

PARENTS = ("parent", "primary")
_ENDED = 5.0
"""Seconds that a relay has to write its last entry."""

_SILENT = """
    speaks-json-in-every-mode advanced-mode asks-for-a-mode environment-of-the-user-last dies-of-a-key-that-is-no-text
    does-not-close writes-first shuts-down-only trusts-the-key no-unique-id leaves-in-silence-without-server no-goodbye
    one-failure-ends-all waits-for-the-next-close answers-one-announcement accepts-in-silence closes-in-silence
    closes-one-of-two loses-the-first-bytes zero-is-an-error modes-in-any-case modes-by-beginning modes-without-blanks
"""
"""Mutants with a fault that is not on the channel: they are silent, die, close, or look at the environment."""
_PLAUSIBLE = """
    greets greets-in-binary partial-write-lost encodes-blocks ascii-with-question-marks wraps-scalars stamps-messages
    half-before-a-refusal null-for-what-cannot-be sends-what-looks-internal asks-twice splits-long-messages
    gives-up-early descriptor-lost-without-room joins-what-waits adds-up-refusals loses-the-queue-with-a-refused-message
    short-queue msg-is-a-text msg-in-a-list message-behind-the-envelope sends-standard-error counts-keys
    reports-unasked-answers answers-overtake keys-in-small-letters keys-without-blanks counts-to-two short-keys-only
    never-counts-down all-closed-for-all announcement-closes echo-answers-bad-lines bad-lines-are-answered
    answers-without-number serves-eight closes-the-oldest every-failure-is-in-use keeps-a-failed-server
    closes-the-latest-server online-twice listening-before-the-answer echo-is-late serves-one-connection
    asks-at-another-address failure-by-number offers-eight always-in-use two-errors names-the-first-place no-answer-to-0
    one-address needs-a-backlog counts-a-false-backlog errno-zero-for-all shares-listening-sockets
    answers-without-the-socket answers-a-goodbye-twice one-answer-a-read next-handle-goes-last any-close-counts-down
    advanced-writes-latin-1-names-of-json advanced-views-in-own-form advanced-buffers-are-uint8arrays
    advanced-error-type-last advanced-writes-copies advanced-nan-as-null advanced-date-as-number
    advanced-flags-in-order-of-letters advanced-int32-without-zigzag has-enough-after-four
"""
"""Mutants whose bytes could be right: only their user, their program or a second channel shows the fault."""
INVISIBLE = frozenset((_SILENT + _PLAUSIBLE).split())
"""Mutants that break a visible rule in an invisible way."""


def visible(mutants: Iterable[Mutant] = MUTANTS) -> list[Mutant]:
    """The mutants whose fault a recording can show: they break a visible rule, and the fault is on the channel."""
    return [
        mutant
        for mutant in mutants
        if mutant.role != "codec" and set(mutant.breaks) & set(SEEN) and mutant.name not in INVISIBLE
    ]


def noticed(mutant: Mutant, cases: Sequence[Case], folder: Path) -> set[str]:
    """The rules that recordings of the cases show the mutant to break."""
    found: set[str] = set()
    for case in cases:
        place = folder / f"{mutant.name}-{case.id}"
        place.mkdir()
        _run(mutant, case, folder, place)
        found |= rules_of(place, DOWN if mutant.role in PARENTS else UP)
        if found & set(mutant.breaks):
            break
    return found


def _run(mutant: Mutant, case: Case, folder: Path, place: Path) -> None:
    one = subject(folder, mutant)
    tap = words(Settings(f"{place}/", quiet=True))
    if mutant.role in PARENTS:
        with _tapped_puppets(tap):
            execute(case, one, Limits(0.6), threading.Event())
    else:
        execute(case, replace(one, command=(*tap, *one.command)), Limits(0.6), threading.Event())


_TAP = threading.local()
"""The command line of the tap, in front of each puppet that a subject of this thread starts."""


@contextlib.contextmanager
def _tapped_puppets(tap: Sequence[str]) -> Iterator[None]:
    _TAP.words = tap
    try:
        yield
    finally:
        _TAP.words = ()


class TappedPuppets(PuppetLink):
    """Puppets that a subject starts behind the tap of its thread."""

    @property
    def argv(self) -> list[str]:
        """The puppet behind the tap."""
        return [*getattr(_TAP, "words", ()), *super().argv]


def rules_of(place: Path, way: str) -> set[str]:
    """The rules that the writer of a direction broke in the recordings of a folder, once they have ended."""
    deadline = time.monotonic() + _ENDED
    found = [read(path) for path in place.glob("*.ctap")]
    while not all(any(entry.end for entry in one.entries) or one.header["socket"] is None for one in found):
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
        found = [read(path) for path in place.glob("*.ctap")]
    return {
        broken.rule
        for one in found
        for broken in lint(one.header, one.entries, patience=0)
        if broken.way == way
    }


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-k", dest="part", default="", help="only mutants with this text in their names")
    arguments = parser.parse_args()
    cases = {case.id: case for case in shipped()}
    killers = committed()
    chosen = [mutant for mutant in visible() if arguments.part in mutant.name]
    failed = 0
    vars(session)["PuppetLink"] = TappedPuppets
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sources(folder, chosen)

        def look(mutant: Mutant) -> tuple[Mutant, set[str]]:
            one = subject(folder, mutant)
            asked = [posed(cases[killer], one) for killer in killers[mutant.name]]
            return mutant, noticed(mutant, [case for case in asked if case is not None], folder)

        with ThreadPoolExecutor(4 * (os.cpu_count() or 1)) as pool:
            for mutant, found in pool.map(look, chosen):
                missed = not found & set(mutant.breaks)
                failed += missed
                if missed or arguments.part:
                    print(
                        f"{mutant.name}: breaks {', '.join(mutant.breaks)}; seen: {', '.join(sorted(found)) or 'nothing'}"
                    )
    print(f"{len(chosen) - failed} of {len(chosen)} are noticed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
