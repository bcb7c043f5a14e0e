"""Runs a case against a subject: all variants of the case, in as few processes as its steps allow."""

import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from channelkit.catalogue.cases import Case
from channelkit.catalogue.verdict import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    UNSUPPORTED,
    Judgement,
    Seen,
    judge,
    with_known,
    worst,
)
from channelkit.errors import HarnessError, Interrupted, LimitExceeded, NoChannel
from channelkit.judge import codec
from channelkit.judge.subjects import Description
from channelkit.limits import Limits
from channelkit.process.ending import finish
from channelkit.process.session import Session
from channelkit.steps.opening import greet, open_channel
from channelkit.steps.run import run_steps
from channelkit.steps.scene import CaseEnded, DeclaredUnsupported, Scene
from channelkit.steps.sockets import Sockets
from channelkit.steps.wanted import describe
from channelkit.wire.transcript import Transcript
from channelkit.wire.values import show

_HOPELESS = ("silent", "closed", "died")
"""Outcomes after which no probe comes back."""
_MORE_ATTEMPTS = 2
"""For counted instructions and bytes: other processes can raise a count, and no process can lower it."""


@dataclass(slots=True)
class CaseResult:
    """All facts about one case and one subject that a report needs."""

    subject: str
    case: Case
    judgement: Judgement
    variants: list[Seen]
    seconds: float
    transcript: list[dict[str, Any]] = field(default_factory=list)
    stderr: str = ""
    hello: dict[str, Any] = field(default_factory=dict)
    strays: int = 0
    """Descriptors that the subject sent and no step asked for."""
    first: str = ""
    """The signature of the first run, when this is the result of a second."""


@dataclass(slots=True)
class _Record:
    """The results of the variants of a case, collected while they run."""

    seen: list[Seen] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    evidence: dict[str, tuple[list[dict[str, Any]], str]] = field(default_factory=dict)
    """Variant to its part of the transcript and the subject's stderr."""
    hello: dict[str, Any] = field(default_factory=dict)
    strays: int = 0


def execute(
    case: Case,
    subject: Description,
    limits: Limits,
    stop: threading.Event,
    only: str | None = None,
    *,
    brief: bool = False,
) -> CaseResult:
    """Runs the case and judges it. ``only`` names a single variant. ``brief`` stops at the first failure and repeats no variant.

    A fault of the kit or of the adapter becomes the verdict ``inconclusive``. Raises :class:`Interrupted`.
    """
    started = time.monotonic()
    record = _Record()
    try:
        if subject.problem:
            raise HarnessError(subject.problem)
        if subject.role == codec.ROLE:
            _run_codec(case, subject, limits, stop, record)
        else:
            _run_variants(case, subject, limits, stop, record, only, brief=brief)
            for _attempt in range(0 if brief else _MORE_ATTEMPTS):
                if worst(record.judgements).seen.outcome != "costly":
                    break
                record = _Record()
                _run_variants(case, subject, limits, stop, record, only, brief=brief)
        decisive = worst(record.judgements)
    except DeclaredUnsupported as error:
        decisive = _unsupported(error)
    except Interrupted:
        raise
    except HarnessError as error:
        decisive = Judgement(INCONCLUSIVE, Seen("whole", "inconclusive", text=str(error)))
    except Exception:  # a bug of the kit must not look like a fault of the subject
        decisive = Judgement(INCONCLUSIVE, Seen("whole", "inconclusive", text=traceback.format_exc()))
    return _result(subject, case, record, decisive, time.monotonic() - started)


def _result(
    subject: Description, case: Case, record: _Record, decisive: Judgement, seconds: float
) -> CaseResult:
    listed = subject.known.get(case.id)
    decisive = with_known(decisive, listed.outcome if listed else None, case)
    transcript, stderr = record.evidence.get(decisive.seen.variant) or _latest(record)
    return CaseResult(
        subject.name,
        case,
        decisive,
        record.seen,
        seconds,
        transcript[:100] if decisive.verdict == PASS else transcript,
        stderr,
        record.hello,
        record.strays,
    )


def _unsupported(error: DeclaredUnsupported) -> Judgement:
    return Judgement(UNSUPPORTED, Seen("whole", "unsupported", text=str(error)))


def _latest(record: _Record) -> tuple[list[dict[str, Any]], str]:
    return list(record.evidence.values())[-1] if record.evidence else ([], "")


@dataclass(slots=True)
class Together:
    """The outcome of cases in one process: ``results`` of all cases, or none. ``culprit`` is the case that failed, if a single case did."""

    results: list[CaseResult] = field(default_factory=list)
    culprit: Case | None = None


def execute_together(
    cases: Sequence[Case], subject: Description, limits: Limits, stop: threading.Event
) -> Together:
    """Runs cases that :attr:`~channelkit.catalogue.cases.Case.can_share` one after the other in one process.

    There are results only when all cases passed and the process ended well. Otherwise each case has to run again, so
    that no case is blamed for the fault of its neighbour. Raises :class:`Interrupted`.
    """
    results: list[CaseResult] = []
    current: Case | None = None
    try:
        with closing(Session(subject.plan, limits, Transcript(), stop)) as session:
            for current in cases:
                result = run_shared(session, current, subject)
                if result is None:
                    return Together(culprit=current)
                results.append(result)
            current = None
            ending, _why = finish(session)
            surplus = _surplus(session)
    except Interrupted:
        raise
    except Exception:  # it comes again when the cases run alone, and is reported there
        return Together(culprit=current)
    return Together(results) if ending == "clean" and not surplus else Together()


def run_shared(session: Session, case: Case, subject: Description) -> CaseResult | None:
    """Runs a case in a process that is already there; None when anything in it is not right or not as it was before.

    Then the session is of no further use, and only a run alone says whether it is the case's fault. Raises :class:`Interrupted`.
    """
    started = time.monotonic()
    record = _Record()
    try:
        if session.plan.driven and _prepare(session, case, record) is not None:
            return None
    except DeclaredUnsupported as error:
        return _result(subject, case, record, _unsupported(error), time.monotonic() - started)
    for name in case.variants:
        start = len(session.transcript.entries)
        session.transcript.note(f"variant {name}, in a process that is shared with other cases")
        seen, _in_order, reusable = _run_variant(session, case, name, None)
        seen = replace(seen, ending="clean")
        judgement = judge(case, seen)
        if not reusable or judgement.verdict == FAIL:
            return None
        record.seen.append(seen)
        record.judgements.append(judgement)
        record.evidence[name] = (session.transcript.entries[start:], "")
    return _result(subject, case, record, worst(record.judgements), time.monotonic() - started)


def _run_variants(
    case: Case,
    subject: Description,
    limits: Limits,
    stop: threading.Event,
    record: _Record,
    only: str | None,
    *,
    brief: bool,
) -> None:
    variants = iter([name for name in case.variants if only in (None, name)])
    pending = next(variants, None)
    if pending is None:
        raise HarnessError(f"{case.id} has no variant {only}")
    while pending is not None:
        transcript = Transcript()
        with closing(Session(replace(subject.plan, **case.start), limits, transcript, stop)) as session:
            pending = _run_in_session(session, case, pending, variants, record)
        if brief and any(one.verdict == FAIL for one in record.judgements):
            return


def _run_codec(
    case: Case, subject: Description, limits: Limits, stop: threading.Event, record: _Record
) -> None:
    transcript = Transcript()
    record.evidence["whole"] = (transcript.entries, "")
    seen = codec.run(case, subject.command, limits, stop, transcript)
    if seen is None:
        raise DeclaredUnsupported("the filter declares this direction unsupported")
    record.seen.append(seen)
    record.judgements.append(judge(case, seen))


def _run_in_session(
    session: Session,
    case: Case,
    name: str,
    following: Iterator[str],
    record: _Record,
) -> str | None:
    """Runs variants as long as the session is as good as new. Returns the next variant, which needs a new session."""
    start = 0
    try:
        problem = _prepare(session, case, record)
        while True:
            session.transcript.note(f"variant {name}")
            seen, in_order, reusable = _run_variant(session, case, name, problem)
            upcoming = next(following, None)
            if upcoming is None or not reusable:
                break
            record.seen.append(seen)
            record.judgements.append(judge(case, seen))
            record.evidence[name] = (session.transcript.entries[start:], "")
            start = len(session.transcript.entries)
            name = upcoming
        ending, why = finish(session)
        surplus = _surplus(session) if in_order else ""
        if surplus:
            seen = Seen(name, "unexpected", None, surplus, "nothing after the last step")
        seen = replace(
            seen,
            ending=ending,
            text="; ".join(filter(None, (seen.text, why))),
            cause=seen.cause or seen.text or why,
            expected=seen.expected or (f"the ending {' or '.join(case.ending)}" if why else ""),
        )
        record.seen.append(seen)
        record.judgements.append(judge(case, seen))
    except LimitExceeded as beyond:  # the remaining variants would reach the limit again
        seen = Seen(name, beyond.outcome, None, str(beyond))
        record.seen.append(seen)
        record.judgements.append(judge(case, seen))
        upcoming = None
    finally:
        session.subject.read_stderr()
        record.strays += session.release_strays()
        record.evidence[name] = (session.transcript.entries[start:], session.subject.stderr_text)
    return upcoming


def _prepare(session: Session, case: Case, record: _Record) -> CaseEnded | None:
    """Greets a driven adapter and opens the channel, unless it is open already. A failure of the channel is the subject's outcome.

    Raises :class:`DeclaredUnsupported` when the adapter declares that it lacks a capability that the case needs.
    """
    if not session.plan.driven:
        return _meet(session)
    try:
        if not session.hello:
            greet(session, unusual=bool(case.start))
        record.hello = session.hello
        _check_declared(case, session.hello, session.plan.role)
        if not (case.opens or session.opened):
            open_channel(session)
    except CaseEnded as ended:
        return ended
    return None


def _check_declared(case: Case, hello: Mapping[str, Any], role: str) -> None:
    """Compares the adapter's declaration with the needs of the case. Raises :class:`DeclaredUnsupported`, :class:`HarnessError`."""
    if role not in hello["roles"]:
        raise HarnessError(f"the adapter says it has no role {role}: {show(hello)}")
    missing = [need for need in case.needs if need not in hello["capabilities"]]
    if missing:
        raise DeclaredUnsupported(f"the adapter declares no {', '.join(missing)}")
    if role == "child" and hello["rung"] < case.rung:
        raise DeclaredUnsupported(
            f"the adapter declares rung {show(hello['rung'])}, the case needs {case.rung}"
        )


def _meet(session: Session) -> CaseEnded | None:
    """Waits for the puppet of a primary. The primary gets no command: it starts the puppet by itself."""
    try:
        session.meet()
    except NoChannel as error:
        return CaseEnded("no-channel", str(error))
    if session.puppet is not None and session.puppet.facts is None:
        return CaseEnded(
            "died" if session.status else "closed", "the subject ended before it started its worker"
        )
    return None


def _run_variant(
    session: Session, case: Case, name: str, problem: CaseEnded | None
) -> tuple[Seen, bool, bool]:
    """Runs the steps once. Returns the observation, whether all steps were taken, and whether a variant may follow in this process."""
    with closing(Sockets()) as sockets:
        scene = Scene(session, sockets, name)
        text = expected = cause = ""
        in_order = synchronised = False
        try:
            if problem is not None:
                raise problem
            run_steps(scene, case.steps)
            in_order = True
        except CaseEnded as ended:
            scene.outcome, text, cause = ended.outcome, str(ended), ended.cause
            expected = describe(scene.step)
        # Also after a failure: a subject that still writes while the kit closes would die of the kit's haste.
        try:
            synchronised = problem is None and scene.outcome not in _HOPELESS and _synchronise(scene)
        except CaseEnded as ended:
            if in_order:
                scene.outcome, text, cause = ended.outcome, str(ended), ended.cause
                expected = "nothing after the last step"
        seen = Seen(name, scene.outcome, None, text, expected, cause)
        return seen, in_order, in_order and synchronised and case.leaves_open


def _surplus(session: Session) -> str:
    """The descriptors that no step asked for and the late reports of the adapter, in words; empty when there are none.

    Frames are no surplus here: the kit closes its sockets after the last step, and a subject may have to tell of that.
    """
    unasked = session.release_strays()
    if unasked:
        return f"{unasked} descriptors came that no step expected"
    control = session.control
    if control is None:
        return session.repeated
    if not session.opened and session.puppet is None and session.channel.heard:
        return "the subject wrote on a channel that it refused"
    if control.late:
        return f"after the end of the channel the adapter reported {control.late[0]}"
    if control.seen["exit"] > 1:
        return f"the adapter reported {control.seen['exit']} times that the child ended"
    message = next((event for event in session.events if event["event"] == "message"), None)
    return f"the adapter reported {show(message)}" if message else ""


def _synchronise(scene: Scene) -> bool:
    """Lets the subject finish its work before the next variant or the close; False when that is not possible.

    Raises :class:`CaseEnded` when a probe that was glued to a write got lost, or when a frame comes that no step asked for.
    """
    session = scene.session
    if not session.opened:
        return False
    channel = session.channel
    if session.exited or session.kit_ended_first or channel.closed or channel.eof or scene.unfinished:
        return False
    glued = set(session.probes)
    if not session.write(session.new_probe()):
        return False
    latest = max(session.probes)
    session.await_start()
    back = session.wait(
        lambda: latest not in session.probes or session.exited or channel.eof, session.limits.grace
    )
    if back and latest not in session.probes and glued & session.probes:
        raise CaseEnded("silent", "the message that was glued to a write was not delivered")
    if back and (session.frames or session.answers):
        frame = (session.frames or session.answers)[0]
        raise CaseEnded("unexpected", f"after the last step the subject wrote {frame}")
    if back and channel.descriptors:
        raise CaseEnded("unexpected", f"{len(channel.descriptors)} descriptors came that no step expected")
    session.frames.clear()
    session.answers.clear()
    session.events.clear()
    session.allowed.clear()
    session.allowed_frames.clear()
    channel.release_all()
    channel.as_usual()
    return back and latest not in session.probes
