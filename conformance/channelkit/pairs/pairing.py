"""Every implementation as the parent of every implementation: which trials succeed.

In the middle of the channel the kit sees the bytes. It changes only their timing. But the timing decides whether two writes arrive in a
single read, which can show or hide a fault. So a failure counts only if it was also seen on a channel without the kit.
"""

import fnmatch
import shlex
import threading
import time
import traceback
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from channelkit.catalogue.verdict import FAIL, FIXED, INCONCLUSIVE, KNOWN, PASS, UNSUPPORTED
from channelkit.errors import HarnessError, Interrupted, LimitExceeded
from channelkit.judge.known import KnownFailure
from channelkit.judge.subjects import Description
from channelkit.limits import SLICE, Limits
from channelkit.pairs.pair import Pair, TrialFailed
from channelkit.pairs.trials import TRIALS, Trial
from channelkit.process.session import Plan
from channelkit.resources import find


@dataclass(frozen=True, slots=True)
class Participant:
    """An implementation in the roles that it has; a role it has not is None."""

    name: str
    parent: Plan | None
    child: Plan | None


def participants(subjects: Sequence[Description]) -> list[Participant]:
    """The implementations among subjects: ``X-parent`` and ``X-child`` are the same. Echo children are left out."""
    plans: dict[str, dict[str, Plan]] = {}
    for one in subjects:
        if one.rung >= 2 and not one.problem:
            plans.setdefault(one.name.removesuffix(f"-{one.role}"), {})[one.role] = one.plan
    return [Participant(name, roles.get("parent"), roles.get("child")) for name, roles in plans.items()]


_KEPT = 100
"""Entries of the transcript of a trial that went well."""


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
    *,
    wire: bool = False,
) -> Generator[list[dict[str, Any]]]:
    """Yields the results pair by pair, as they stand in the report.

    ``wire``: the kit is in the middle of each channel, and a trial that fails runs again without it. Otherwise the kit is in no
    channel, and a trial that fails runs again with it, so that the bytes are seen.
    """
    stop = threading.Event()
    work = _work(found)
    with ThreadPoolExecutor(jobs) as pool:
        futures = [
            pool.submit(_pair, parent, child, trials, limits, stop, known, wire) for parent, child in work
        ]
        try:
            left = set(futures)
            while left:
                done, left = wait(left, SLICE, FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            stop.set()
            for future in futures:
                future.cancel()


def count(found: Sequence[Participant]) -> int:
    """How many pairs there are."""
    return len(_work(found))


def _work(found: Sequence[Participant]) -> list[tuple[Participant, Participant]]:
    """The parents and children that speak the same serialization."""
    return [
        (parent, child)
        for parent in found
        for child in found
        if parent.parent and child.child and parent.parent.mode == child.child.mode
    ]


def _pair(
    parent: Participant,
    child: Participant,
    trials: Sequence[Trial],
    limits: Limits,
    stop: threading.Event,
    known: dict[str, KnownFailure],
    wire: bool,
) -> list[dict[str, Any]]:
    if parent.parent is None or child.child is None:
        raise ValueError("a role is missing")
    both = parent.parent, child.child
    trials = [one for one in trials if one.mode in (None, parent.parent.mode)]
    started = time.monotonic()
    first = _run(*both, trials, limits, stop, wire=wire)
    seconds = (time.monotonic() - started) / max(1, len(first))
    entries = [_entry(parent.name, child.name, one, known, seconds) for one in first]
    again = [
        number for number, entry in enumerate(entries) if entry["verdict"] in (FAIL, FIXED, INCONCLUSIVE)
    ]
    second = dict(
        zip(again, _run(*both, [trials[one] for one in again], limits, stop, wire=not wire), strict=True)
    )
    for number, one in enumerate(first):
        judged, seen = (second.get(number, one), one) if wire else (one, second.get(number))
        entry = entries[number] = _entry(parent.name, child.name, judged, known, seconds)
        transcript = _transcript(judged, seen)
        entry["transcript"] = transcript[:_KEPT] if entry["verdict"] == PASS else transcript
    return entries


def _transcript(judged: _Outcome, seen: _Outcome | None) -> list[dict[str, Any]]:
    """The transcript of the run that counts and, if it differs, the transcript of the run in which the bytes were seen."""
    if seen is None:
        return judged.transcript
    middle = _headed(seen, "with the kit in the middle of the channel")
    return middle if judged is seen else [*_headed(judged, "without the kit, which counts"), *middle]


def _headed(one: _Outcome, where: str) -> list[dict[str, Any]]:
    """The transcript of a run, behind a line with the place of the kit and the outcome."""
    start = one.transcript[0]["ms"] if one.transcript else 0.0
    words = f"{where}: {one.outcome}" + f" ({one.text})" * bool(one.text)
    return [{"ms": start, "kind": "note", "text": words}, *one.transcript]


def _run(
    parent: Plan, child: Plan, trials: Sequence[Trial], limits: Limits, stop: threading.Event, *, wire: bool
) -> list[_Outcome]:
    """Runs all the trials, in as few pairs of processes as they allow."""
    done: list[_Outcome] = []
    while len(done) < len(trials):
        done += _session(parent, child, trials[len(done) :], limits, stop, wire=wire)
    return done


def _session(
    parent: Plan, child: Plan, trials: Sequence[Trial], limits: Limits, stop: threading.Event, *, wire: bool
) -> list[_Outcome]:
    """Runs trials in a pair of processes until a trial ends the channel or fails: at least a single trial."""
    done: list[_Outcome] = []
    try:
        with closing(Pair(parent, child, limits, stop, wire=wire)) as pair:
            for trial in trials:
                start = len(pair.transcript.entries)
                done.append(_try(pair, trial))
                done[-1].transcript = pair.transcript.entries[start:]
                if trial.ends or done[-1].verdict not in (PASS, UNSUPPORTED):
                    break
    except TrialFailed as failed:
        done.append(_Outcome(trials[0], FAIL, failed.outcome, str(failed)))
    except LimitExceeded as beyond:
        done.append(_Outcome(trials[len(done)], FAIL, beyond.outcome, str(beyond)))
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
    except OSError as error:  # the error of a socket whose handle does not work
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
    """The list of known failures of pairs."""
    return find("known/matrix/pairs.txt")
