"""Runs cases against subjects with a few threads and hands out results as they come."""

import contextlib
import os
import queue
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from channelkit.catalogue.cases import Case, applies
from channelkit.catalogue.echoed import as_echo
from channelkit.catalogue.othermode import MODE, as_advanced
from channelkit.catalogue.verdict import PASS
from channelkit.errors import Interrupted
from channelkit.judge import codec
from channelkit.judge.again import SecondRuns
from channelkit.judge.execute import CaseResult, execute, execute_together
from channelkit.judge.preflight import Unfit, look
from channelkit.judge.subjects import Description
from channelkit.judge.worklist import Work, WorkList
from channelkit.limits import SLICE, Limits
from channelkit.process import leftovers
from channelkit.wire.headers import WIRES

TOGETHER = 20
"""At most so many cases share a process. The number is small, so that all processors have work until the end."""

_CULPRITS = 3
"""After so many failures of the shared process in a batch, its remaining cases run alone."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: parallel sessions, limits, the only variant to run, if any, and whether each case gets a process of its own."""

    jobs: int
    limits: Limits
    variant: str | None = None
    isolate: bool = False


def default_jobs() -> int:
    """Parallel sessions when the user names no number. A session mostly waits for its subject, so a processor serves several."""
    return 4 * (os.cpu_count() or 1)


def pairs(subjects: Sequence[Description], cases: Sequence[Case]) -> list[tuple[Case, Description]]:
    """The work of a run: every case with every subject that the case applies to."""
    found = ((posed(case, subject), subject) for subject in subjects for case in cases)
    return [(case, subject) for case, subject in found if case is not None]


def posed(case: Case, subject: Description) -> Case | None:
    """The case as a subject is asked it; None when it does not apply."""
    if case.wire not in (WIRES[0], subject.wire):
        return None
    if case.mode != subject.mode:
        other = as_advanced(case) if subject.mode == MODE and not _is_echo(subject) else None
        return posed(other, subject) if other is not None else None
    if subject.role == codec.ROLE:
        return case if codec.direction(case) is not None else None
    if applies(case, subject.role, subject.rung):
        return case
    if subject.role != "child" or subject.rung != 0 or not set(case.needs) <= set(subject.capabilities):
        return None
    return as_echo(case)


def _is_echo(subject: Description) -> bool:
    """Whether a subject sends back what it gets; in the mode ``advanced`` it reads no message."""
    return subject.role == "child" and subject.rung == 0


def arrange(work: Sequence[tuple[Case, Description]], options: Options) -> tuple[list[Work], list[Work]]:
    """Puts cases that can share a process together.

    Known failures stand apart, in the second list: many of them wait for an event that never comes, and use no processor.
    """
    slow: list[Work] = []
    alone: list[Work] = []
    # Cases that may end the process share a process of their own. When it ends early, no further case has to run again.
    shared: dict[tuple[str, bool], list[tuple[Case, Description]]] = {}
    for case, subject in work:
        if case.id in subject.known:
            slow.append(Work((case,), subject))
        elif (
            options.isolate
            or options.variant is not None
            or not case.can_share
            or subject.problem
            or subject.role == codec.ROLE
        ):
            alone.append(Work((case,), subject))
        else:
            shared.setdefault((subject.name, case.can_end_it), []).append((case, subject))
    together = [
        Work(tuple(case for case, _subject in batch), batch[0][1])
        for found in shared.values()
        for batch in (found[i : i + TOGETHER] for i in range(0, len(found), TOGETHER))
    ]
    return together + alone, slow


def _execute(
    work: Work, options: Options, stop: threading.Event, loners: set[str], seconds: SecondRuns
) -> tuple[list[CaseResult], list[Work]]:
    """Runs cases in a process. Returns the results, and the cases that have to run again in further processes.

    ``loners`` are the cases that failed alone the last time. The next subject is often of the same kind, and its
    shared process would probably fail, too.
    """
    if len(work.cases) > 1:
        apart = [Work((case,), work.subject) for case in work.cases if case.id in loners]
        if not apart:
            return _share(work, options, stop)
        rest = tuple(case for case in work.cases if case.id not in loners)
        return [], [Work(rest, work.subject), *apart] if rest else apart
    case = work.cases[0]
    # For a known failure the first variant that fails is enough: each variant may wait for an event that never comes.
    brief = case.id in work.subject.known
    alone = partial(execute, case, work.subject, options.limits, stop, options.variant, brief=brief)
    result = seconds.settle(alone(), alone)
    if result.judgement.verdict == PASS:
        loners.discard(case.id)
    elif not brief:
        loners.add(case.id)
    return [result], []


def _share(work: Work, options: Options, stop: threading.Event) -> tuple[list[CaseResult], list[Work]]:
    """Runs cases in a shared process. After any failure the results do not count, and the cases run again in new processes."""
    found = execute_together(work.cases, work.subject, options.limits, stop)
    if found.results:
        return found.results, []
    culprit, left = found.culprit, work.left + 1
    if culprit is None or culprit.can_end_it or left == _CULPRITS:
        return [], [Work((case,), work.subject) for case in work.cases]
    # No case left in this batch ends the process by design. So without the culprit the rest probably passes.
    rest = tuple(case for case in work.cases if case is not culprit)
    return [], [Work(rest, work.subject, left), Work((culprit,), work.subject)]


def look_at(subjects: Sequence[Description], options: Options) -> dict[str, Unfit]:
    """The subjects with which no case can be run, by name. Raises :class:`Interrupted`."""
    stop = threading.Event()
    with ThreadPoolExecutor(max(1, min(options.jobs, len(subjects)))) as pool:
        try:
            found = list(pool.map(lambda one: look(one, options.limits, stop), subjects))
        finally:
            stop.set()
    return {one.name: unfit for one, unfit in zip(subjects, found, strict=True) if unfit is not None}


def run(work: Sequence[tuple[Case, Description]], options: Options) -> Generator[CaseResult]:
    """Yields results in the order in which they are ready.

    Closing the iterator stops the run, as does an exception in the loop over it, KeyboardInterrupt included. Before
    control returns, every session is ended and every process killed.
    """
    busy, waiting = (WorkList(some) for some in arrange(work, options))
    done: queue.SimpleQueue[CaseResult | BaseException] = queue.SimpleQueue()
    stop = threading.Event()
    loners: set[str] = set()
    seconds = SecondRuns()

    def serve(*lists: WorkList) -> None:
        try:
            for todo in lists:
                for item in todo:
                    results, more = _execute(item, options, stop, loners, seconds)
                    for result in results:
                        done.put(result)
                    todo.done(more)
        except Interrupted:
            return
        except BaseException as error:
            done.put(error)

    # A session that waits needs no processor. So there are twice as many threads, and the second half only takes known failures.
    number = min(options.jobs, len(work))
    kinds: list[tuple[WorkList, ...]] = [(busy, waiting)] * number
    kinds += [(waiting,)] * min(number - 1, len(waiting))
    threads = [threading.Thread(target=serve, args=kind, daemon=True) for kind in kinds]
    try:
        for thread in threads:
            thread.start()
        for _ in work:
            result = _next(done)
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        stop.set()
        for todo in (busy, waiting):
            todo.close()
        for thread in threads:
            if thread.ident is not None:  # an interrupt may come before all of them have started
                thread.join()
        leftovers.sweep()


def _next(done: queue.SimpleQueue[CaseResult | BaseException]) -> CaseResult | BaseException:
    """The next result."""
    while True:
        with contextlib.suppress(queue.Empty):
            return done.get(timeout=SLICE)
