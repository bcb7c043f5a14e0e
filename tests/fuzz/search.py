"""Searches: a test that runs again and again, its limit of time, and the treatment of its findings."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis.internal.conjecture import engine

from fuzz.peers import Peer, observation
from fuzz.plans import Plan, Traits, plans
from fuzz.repertoire import LIKES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hypothesis import settings

    from channelkit.judge.subjects import Description

SHRINKING = 25.0
"""Seconds that making a finding smaller may take."""
BATCH = 25
ENDLESS = 1_000_000
engine.MAX_SHRINKING_SECONDS = int(SHRINKING)


class TimeIsUp(BaseException):
    """Raised inside an example."""


@dataclass
class Finding:
    """A fault that a search found."""

    search: str
    text: str
    plan: Plan | None = None
    seconds: float = 0.0
    """From the start of the search to the first sight of it."""

    def save(self, folder: Path) -> Path:
        """Write it to a file of its own; a plan as a case file that `channelkit replay` and `promote` take."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.plan is None:
            target = folder / f"{self.search.replace('/', '-')}.txt"
            target.write_text(self.text, "utf-8")
            return target
        entry = {**self.plan.entry, "guards": f"{self.search}: {self.text}"[:400]}
        target = folder / f"{entry['id']}.json"
        target.write_text(Plan(entry, self.plan.kinds).file, "utf-8")
        return target


@dataclass
class Search:
    """Runs examples until the first finding or until the time is over.

    ``examples`` counts new examples only, without those that an earlier run had left in the database.
    """

    name: str
    examples: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    unconfirmed: list[Plan] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    _until: float = 0.0

    def run(self, profile: Callable[[int], settings], examples: int | None, seconds: float) -> None:
        """Run so many examples, or as many as there is time for; in any case until the first finding.

        ``profile`` makes the settings for a number of examples.
        """
        self._until = time.monotonic() + seconds
        try:
            self.once(profile, examples)
        except TimeIsUp:
            pass
        except Exception as error:
            self.failed(error)
        self.conclude()

    def once(self, profile: Callable[[int], settings], examples: int | None) -> None:
        """Run a Hypothesis test, or several in order."""
        raise NotImplementedError

    def failed(self, error: Exception) -> None:
        """Take the error that Hypothesis reports at the end."""
        self.findings.append(Finding(self.name, _report(error), None, time.monotonic() - self.started))

    def conclude(self) -> None:
        """Called at the end of each run."""


def _report(error: Exception) -> str:
    return "".join(traceback.format_exception(error))


@dataclass
class Property(Search):
    """A test of Hypothesis that runs in this process. ``make`` takes the profile and a function to call at each example."""

    make: Callable[[settings, Callable[[], None]], Callable[[], None]] = field(kw_only=True)

    def once(self, profile: Callable[[int], settings], examples: int | None) -> None:
        """Run it in batches; Hypothesis makes a finding smaller by itself."""
        while True:
            self.make(profile(examples or BATCH), self.tick)()
            if examples or time.monotonic() > self._until:
                return

    def tick(self) -> None:
        """Count an example."""
        self.examples += 1


@dataclass
class PlanSearch(Search):
    """Plans on real peers: the spec judges each peer, and several peers are compared with each other."""

    subjects: Sequence[Description] = field(kw_only=True)
    strict: bool = False
    _peers: list[Peer] = field(default_factory=list)
    _smallest: tuple[int, Plan, str] | None = None
    _first: float = 0.0
    _traits: Traits | None = None

    def prepare(self) -> None:
        """Start the peers and learn their known deviations."""
        if self._traits is not None:
            return
        self._peers = [Peer(subject) for subject in self.subjects]
        avoid: frozenset[str] = frozenset()
        if not self.strict:
            avoid = frozenset().union(*(peer.deviations(LIKES) for peer in self._peers))
        self._traits = Traits(self.strict, avoid, self.subjects[0].role)
        if avoid:
            print(f"{self.name}: plans leave out {', '.join(sorted(avoid))}", flush=True)

    def close(self) -> None:
        """End the peers."""
        for peer in self._peers:
            peer.__exit__(None, None, None)

    def once(self, profile: Callable[[int], settings], examples: int | None) -> None:
        """Run plans."""
        self.prepare()
        assert self._traits is not None

        @profile(examples or ENDLESS)
        @given(plans(self._traits))
        def one(plan: Plan) -> None:
            if time.monotonic() > self._until:
                raise TimeIsUp
            self.examples += 1
            self.kinds.update(plan.kinds)
            fault = self.fault(plan)
            if fault:
                self._keep(plan, fault)
                raise AssertionError(fault)

        self._smallest = None
        one()

    def _keep(self, plan: Plan, fault: str) -> None:
        now = time.monotonic()
        size = len(plan.file)
        if self._smallest is None:
            self._first = now - self.started
            self._until = now + SHRINKING
        if self._smallest is None or size < self._smallest[0]:
            self._smallest = (size, plan, fault)

    def fault(self, plan: Plan) -> str:
        """Return the fault of a plan on these peers."""
        results = [peer.run(plan.case) for peer in self._peers]
        for peer, result in zip(self._peers, results, strict=True):
            fault = peer.fault(plan, result, strict=self.strict)
            if fault:
                return f"{peer.subject.name}: {fault}"
        seen = {observation(result) for result in results}
        if len(seen) > 1 and not self._difference_recorded(plan):
            shown = ", ".join(
                f"{peer.subject.name}: {observation(result)}"
                for peer, result in zip(self._peers, results, strict=True)
            )
            return f"these differ, and no case of the catalogue says so: {shown}"
        return ""

    def _difference_recorded(self, plan: Plan) -> bool:
        """Whether some case of the catalogue tells these peers apart too."""
        for name in plan.case.like:
            results = [result for peer in self._peers if (result := peer.of_catalogue(name))]
            if len({observation(result) for result in results}) > 1:
                return True
        return False

    def failed(self, error: Exception) -> None:
        """Take from Hypothesis only errors that are not about a plan."""
        if self._smallest is None:
            super().failed(error)

    def conclude(self) -> None:
        """A plan that failed has to fail three times more, in processes of its own."""
        if self._smallest is None:
            return
        _size, plan, fault = self._smallest
        self._smallest = None
        if all(self._fault_alone(plan) for _ in range(3)):
            self.findings.append(Finding(self.name, fault, plan, self._first))
        else:
            self.unconfirmed.append(plan)

    def _fault_alone(self, plan: Plan) -> bool:
        for peer in self._peers:
            peer.leave()
        return bool(self.fault(plan))
