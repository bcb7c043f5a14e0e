"""Runs cases against subjects with a few threads and hands out results as they come."""

import os
import queue
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from channelkit.cases import Case, applies
from channelkit.errors import Interrupted
from channelkit.execute import CaseResult, execute
from channelkit.limits import Limits
from channelkit.subjects import Description


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: parallel sessions, limits, and the only variant to run, if any."""

    jobs: int
    limits: Limits
    variant: str | None = None


def default_jobs() -> int:
    """Parallel sessions when the user names none: a session mostly waits for its subject, so more than processors."""
    return (os.cpu_count() or 1) + 1


def pairs(subjects: Sequence[Description], cases: Sequence[Case]) -> list[tuple[Case, Description]]:
    """What is to be run: every case with every subject that it applies to.

    Known failures come first: they are the slow ones, since many of them wait for what never comes.
    """
    work = [
        (case, subject) for subject in subjects for case in cases if applies(case, subject.role, subject.rung)
    ]
    return sorted(work, key=lambda pair: pair[0].id not in pair[1].known)


def run(work: Sequence[tuple[Case, Description]], options: Options) -> Generator[CaseResult]:
    """Yields results in the order in which they are ready.

    Closing the iterator (or an exception in the loop over it, KeyboardInterrupt included) stops the run: every
    session is ended, every process killed, before control returns.
    """
    todo: queue.SimpleQueue[tuple[Case, Description]] = queue.SimpleQueue()
    done: queue.SimpleQueue[CaseResult | BaseException] = queue.SimpleQueue()
    stop = threading.Event()
    for item in work:
        todo.put(item)

    def serve() -> None:
        try:
            while not stop.is_set():
                case, subject = todo.get_nowait()
                done.put(execute(case, subject, options.limits, stop, options.variant))
        except (queue.Empty, Interrupted):
            return
        except BaseException as error:
            done.put(error)

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(min(options.jobs, len(work)))]
    for thread in threads:
        thread.start()
    try:
        for _ in work:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        stop.set()
        for thread in threads:
            thread.join()
