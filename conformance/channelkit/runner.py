"""Runs cases against subjects with a few threads and hands out results as they come."""

import os
import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from channelkit import codec
from channelkit.cases import Case, applies
from channelkit.errors import Interrupted
from channelkit.execute import CaseResult, execute, execute_together
from channelkit.limits import Limits
from channelkit.subjects import Description

TOGETHER = 12
"""At most so many cases share a process; small enough that all processors have work until the end."""

Work = tuple[tuple[Case, ...], Description]
"""Cases for one process, and the subject."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: parallel sessions, limits, the only variant to run, if any, and whether each case gets a process of its own."""

    jobs: int
    limits: Limits
    variant: str | None = None
    isolate: bool = False


def default_jobs() -> int:
    """Parallel sessions when the user names none: a session mostly waits for its subject, so several for each processor."""
    return 4 * (os.cpu_count() or 1)


def pairs(subjects: Sequence[Description], cases: Sequence[Case]) -> list[tuple[Case, Description]]:
    """What is to be run: every case with every subject that it applies to."""
    return [(case, subject) for subject in subjects for case in cases if _concerns(case, subject)]


def _concerns(case: Case, subject: Description) -> bool:
    if subject.role == codec.ROLE:
        return codec.direction(case) is not None
    return applies(case, subject.role, subject.rung)


def arrange(work: Sequence[tuple[Case, Description]], options: Options) -> list[Work]:
    """Puts cases that can share a process together.

    Known failures are slow without work, since many of them wait for what never comes: they are strewn among the first of the others.
    """
    slow: list[Work] = []
    alone: list[Work] = []
    # Cases that end the process of one subject and not of another share with their like: one that ends it costs only those.
    shared: dict[tuple[str, bool], list[tuple[Case, Description]]] = {}
    for case, subject in work:
        if case.id in subject.known:
            slow.append(((case,), subject))
        elif (
            options.isolate
            or options.variant is not None
            or not case.can_share
            or subject.problem
            or subject.role == codec.ROLE
        ):
            alone.append(((case,), subject))
        else:
            shared.setdefault((subject.name, case.can_end_it), []).append((case, subject))
    together = [
        (tuple(case for case, _subject in batch), batch[0][1])
        for found in shared.values()
        for batch in (found[i : i + TOGETHER] for i in range(0, len(found), TOGETHER))
    ]
    return _strewn(slow, together + alone)


def _strewn(some: list[Work], others: list[Work]) -> list[Work]:
    """Both lists as one, ``some`` evenly among the first two thirds of it."""
    room = max(1, len(others) * 2 // (3 * len(some))) if some else 1
    mixed: list[Work] = []
    for number, item in enumerate(some):
        mixed += [item, *others[number * room : (number + 1) * room]]
    return mixed + others[len(some) * room :]


def _execute(work: Work, options: Options, stop: threading.Event) -> Iterator[CaseResult]:
    cases, subject = work
    results = execute_together(cases, subject, options.limits, stop) if len(cases) > 1 else None
    if results is not None:
        yield from results
        return
    for case in cases:
        # What is known to fail needs no second variant that fails, too: each of them waits for what never comes.
        brief = case.id in subject.known
        yield execute(case, subject, options.limits, stop, options.variant, brief=brief)


def run(work: Sequence[tuple[Case, Description]], options: Options) -> Generator[CaseResult]:
    """Yields results in the order in which they are ready.

    Closing the iterator (or an exception in the loop over it, KeyboardInterrupt included) stops the run: every
    session is ended, every process killed, before control returns.
    """
    todo: queue.SimpleQueue[Work] = queue.SimpleQueue()
    done: queue.SimpleQueue[CaseResult | BaseException] = queue.SimpleQueue()
    stop = threading.Event()
    arranged = arrange(work, options)
    for item in arranged:
        todo.put(item)

    def serve() -> None:
        try:
            while not stop.is_set():
                for result in _execute(todo.get_nowait(), options, stop):
                    done.put(result)
        except (queue.Empty, Interrupted):
            return
        except BaseException as error:
            done.put(error)

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(min(options.jobs, len(arranged)))]
    try:
        for thread in threads:
            thread.start()
        for _ in work:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        stop.set()
        for thread in threads:
            if thread.ident is not None:  # an interrupt may come before all of them have started
                thread.join()
