"""Every implementation as parent of every other: which trials go well."""

import fnmatch
import shlex
import threading
import time
import traceback
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from channelkit.errors import HarnessError, Interrupted
from channelkit.known import KnownFailure
from channelkit.limits import Limits
from channelkit.pair import Pair, TrialFailed
from channelkit.resources import find
from channelkit.session import Plan
from channelkit.subjects import Description
from channelkit.trials import TRIALS, Trial
from channelkit.verdict import FAIL, FIXED, INCONCLUSIVE, KNOWN, PASS, UNSUPPORTED


@dataclass(frozen=True, slots=True)
class Participant:
    """An implementation in the roles that it has; a role it has not is None."""

    name: str
    parent: Plan | None
    child: Plan | None


def participants(subjects: Sequence[Description]) -> list[Participant]:
    """The implementations among subjects: those that differ only in ``-parent`` and ``-child`` are one. Echo children are left out."""
    plans: dict[str, dict[str, Plan]] = {}
    for one in subjects:
        if one.rung >= 2 and not one.problem:
            plans.setdefault(one.name.removesuffix(f"-{one.role}"), {})[one.role] = one.plan
    return [Participant(name, roles.get("parent"), roles.get("child")) for name, roles in plans.items()]


@dataclass(slots=True)
class _Outcome:
    trial: Trial
    verdict: str
    outcome: str
    text: str = ""
    transcript: list[dict[str, Any]] = field(default_factory=list)


def run(
    found: Sequence[Participant],
    trials: Sequence[Trial],
    limits: Limits,
    jobs: int,
    known: dict[str, KnownFailure],
) -> Generator[list[dict[str, Any]]]:
    """Yields the results of one pair after the other, as they stand in the report."""
    stop = threading.Event()
    work = [(parent, child) for parent in found if parent.parent for child in found if child.child]
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(_pair, parent, child, trials, limits, stop, known) for parent, child in work]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            stop.set()
            for future in futures:
                future.cancel()


def count(found: Sequence[Participant]) -> int:
    """How many pairs there are."""
    return sum(1 for parent in found if parent.parent for child in found if child.child)


def _pair(
    parent: Participant,
    child: Participant,
    trials: Sequence[Trial],
    limits: Limits,
    stop: threading.Event,
    known: dict[str, KnownFailure],
) -> list[dict[str, Any]]:
    if parent.parent is None or child.child is None:
        raise ValueError("a role is missing")
    done: list[_Outcome] = []
    started = time.monotonic()
    while len(done) < len(trials):
        done += _session(parent.parent, child.child, trials[len(done) :], limits, stop)
    seconds = (time.monotonic() - started) / len(done)
    return [_entry(parent.name, child.name, one, known, seconds) for one in done]


def _session(
    parent: Plan, child: Plan, trials: Sequence[Trial], limits: Limits, stop: threading.Event
) -> list[_Outcome]:
    """Runs trials in one pair of processes until one ends the channel or goes wrong: at least one."""
    done: list[_Outcome] = []
    try:
        with closing(Pair(parent, child, limits, stop)) as pair:
            for trial in trials:
                start = len(pair.transcript.entries)
                done.append(_try(pair, trial))
                done[-1].transcript = pair.transcript.entries[start:]
                if trial.ends or done[-1].verdict not in (PASS, UNSUPPORTED):
                    break
    except TrialFailed as failed:
        done.append(_Outcome(trials[0], FAIL, failed.outcome, str(failed)))
    except Interrupted:
        raise
    except HarnessError as error:
        done.append(_Outcome(trials[0], INCONCLUSIVE, "inconclusive", str(error)))
    except Exception:  # a bug of the kit must not look like a fault of a pair
        done.append(_Outcome(trials[0], INCONCLUSIVE, "inconclusive", traceback.format_exc()))
    return done


def _try(pair: Pair, trial: Trial) -> _Outcome:
    ends = {"parent": pair.parent, "child": pair.child}
    missing = [
        f"the {role} declares no {need}"
        for role, need in trial.needs
        if need not in ends[role].hello["capabilities"]
    ]
    if missing:
        return _Outcome(trial, UNSUPPORTED, "unsupported", "; ".join(missing))
    try:
        trial.run(pair)
    except TrialFailed as failed:
        return _Outcome(
            trial, FAIL, failed.outcome, "; ".join(filter(None, (str(failed), pair.stderr[-500:])))
        )
    except OSError as error:  # what the sockets of a trial say of a handle that does not work
        return _Outcome(trial, FAIL, "unreached", str(error))
    return _Outcome(trial, PASS, "ok")


def _entry(
    parent: str, child: str, one: _Outcome, known: dict[str, KnownFailure], seconds: float
) -> dict[str, Any]:
    verdict = one.verdict
    listed = _listed(f"{parent}/{child}/{one.trial.id}", known)
    if listed is not None and verdict in (PASS, FAIL):
        allowed = listed.outcome.split("|")
        if one.outcome in allowed:
            verdict = KNOWN
        elif verdict == PASS:
            verdict = FIXED
    return {
        **({"listed": f"{listed.kind}: {listed.reason}"} if verdict == KNOWN and listed is not None else {}),
        "parent": parent,
        "child": child,
        "trial": one.trial.id,
        "verdict": verdict,
        "outcome": one.outcome,
        "signature": listed.outcome if verdict == KNOWN and listed is not None else one.outcome,
        "text": one.text,
        "seconds": round(seconds, 3),
        "reproduce": shlex.join(["channelkit", "pair", parent, child, "-k", one.trial.id, "--trace"]),
        "transcript": one.transcript,
    }


def _listed(name: str, known: dict[str, KnownFailure]) -> KnownFailure | None:
    """The entry for a trial of a pair, ``PARENT/CHILD/TRIAL``; an entry may be a glob."""
    return next((entry for pattern, entry in known.items() if fnmatch.fnmatchcase(name, pattern)), None)


def select(pattern: str | None) -> list[Trial]:
    """The trials whose id holds ``pattern`` or matches it."""
    return [
        trial
        for trial in TRIALS
        if pattern is None or pattern in trial.id or fnmatch.fnmatchcase(trial.id, pattern)
    ]


def known_file() -> Path:
    """The list of what is known of pairs."""
    return find("known/matrix/pairs.txt")
