"""Real peers: one process for many plans while searching, a new one for each plan to be sure."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channelkit.catalogue.cases import applies
from channelkit.catalogue.loading import shipped
from channelkit.catalogue.verdict import FAIL, FIXED, INCONCLUSIVE, KNOWN, LENIENT, UNSUPPORTED
from channelkit.judge.execute import CaseResult, execute, run_shared
from channelkit.judge.runner import Options, pairs, run
from channelkit.limits import Limits
from channelkit.process.session import Session
from channelkit.wire.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from channelkit.catalogue.cases import Case
    from channelkit.judge.subjects import Description
    from fuzz.plans import Plan

MOST_PLANS = 200
"""After so many plans a process is replaced, so that its leaks stay small."""


@dataclass
class Counts:
    """The numbers of a search."""

    pooled: int = 0
    fresh: int = 0
    processes: int = 0


class Peer:
    """A subject. As a context manager it ends its process."""

    def __init__(self, subject: Description, scale: float = 1.0) -> None:
        self.subject = subject
        self.counts = Counts()
        self._limits = Limits(scale)
        self._stop = threading.Event()
        self._session: Session | None = None
        self._plans = 0
        self._catalogue: dict[str, CaseResult] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """End the process, so that the next plan gets a new process."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def run(self, case: Case) -> CaseResult:
        """Run a case: in the shared process if it may, alone if it may not or if it fails in the shared process."""
        if case.can_share:
            result = self._pooled(case)
            if result is not None:
                return result
        return self.alone(case)

    def _pooled(self, case: Case) -> CaseResult | None:
        if self._session is None or self._plans >= MOST_PLANS:
            self.leave()
            self._session = Session(self.subject.plan, self._limits, Transcript(), self._stop)
            self.counts.processes += 1
            self._plans = 0
        self._plans += 1
        self.counts.pooled += 1
        result = None
        try:
            result = run_shared(self._session, case, self.subject)
            self._session.transcript.entries.clear()
        finally:
            if result is None:
                self.leave()
        return result

    def alone(self, case: Case) -> CaseResult:
        """Run a case in a process of its own."""
        self.counts.fresh += 1
        return execute(case, self.subject, self._limits, self._stop)

    # ---- judging -------------------------------------------------------------------------------------------

    def fault(self, plan: Plan, result: CaseResult, *, strict: bool) -> str:
        """Return the fault of a result; empty when it is right, or when the catalogue has the same deviation."""
        judgement = result.judgement
        if judgement.verdict == INCONCLUSIVE:
            return f"inconclusive: {judgement.seen.text}"
        if judgement.verdict == FAIL or (strict and judgement.verdict == LENIENT):
            if not strict and self.recorded(plan.case, result):
                return ""
            ending = f", ending {judgement.seen.ending}" if judgement.seen.ending else ""
            return f"{judgement.seen.outcome}{ending}: {judgement.seen.text}"
        return ""

    def recorded(self, case: Case, result: CaseResult) -> bool:
        """Whether this case varies a case of the catalogue with the same wrong ending, and that ending is known."""
        mine = _signs(result)
        return any(_signs(other) & mine for other in map(self.of_catalogue, case.like) if _deviates(other))

    def deviations(self, names: Iterable[str]) -> frozenset[str]:
        """Return the cases among these in which the peer is known to deviate, or is lenient."""
        cases = [CATALOGUE[name] for name in names if name in CATALOGUE]
        work = pairs([self.subject], cases)
        with closing(run(work, Options(jobs=4, limits=self._limits))) as results:
            self._catalogue |= {result.case.id: result for result in results}
        return frozenset(name for name in names if _to_avoid(self._catalogue.get(name)))

    def of_catalogue(self, name: str) -> CaseResult | None:
        """Return the result of a case of the catalogue."""
        case = CATALOGUE.get(name)
        if case is None or not applies(case, self.subject.role, self.subject.rung):
            return None
        if name not in self._catalogue:
            self._catalogue[name] = self.alone(case)
        return self._catalogue[name]


CATALOGUE = {case.id: case for case in shipped()}


def _deviates(result: CaseResult | None) -> bool:
    return result is not None and result.judgement.verdict in (KNOWN, LENIENT, FIXED, FAIL, UNSUPPORTED)


def _to_avoid(result: CaseResult | None) -> bool:
    """Whether plans leave out the subject of a case. Plans do not leave out the end of a peer on bad input, they expect it."""
    return (
        _deviates(result)
        and result is not None
        and result.judgement.flag not in ("DiesOnBadInput", "ClosesOnBadInput")
    )


def _signs(result: CaseResult | None) -> set[tuple[str, str]]:
    """The fault in words that two cases can share."""
    if result is None:
        return set()
    seen = result.judgement.seen
    listed = result.subject and result.judgement.verdict == KNOWN
    signs = {("outcome", seen.outcome)} if seen.outcome != "ok" else set()
    if seen.ending in ("died", "hung", "closed"):
        signs.add(("ending", seen.ending))
    if listed and seen.outcome == "died":
        signs.add(("ending", "died"))
    return signs


def observation(result: CaseResult) -> tuple[str, str, str]:
    """The facts by which two peers are compared."""
    judgement = result.judgement
    return (judgement.verdict, judgement.seen.outcome, judgement.flag)
