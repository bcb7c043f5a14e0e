"""A case that ran out of time runs once more before it counts: the machine may have stood still, and not the subject."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from channelkit.catalogue.verdict import FAIL, INCONCLUSIVE
from channelkit.judge.execute import CaseResult

MOST = 4
"""Cases of a subject that may run out of time twice. After them a first silence counts, so that a mute subject takes no longer."""

_WAITED = (
    "half-open",
    "inheritable",
    "kept",
    "leaked",
    "left-blocking",
    "lost",
    "silent",
    "still-listening",
    "unreached",
)
"""Outcomes that stand at the end of a wait."""


class SecondRuns:
    """Gives each subject its second runs, in any thread. A run that helped is given back."""

    def __init__(self) -> None:
        self._left: Counter[str] = Counter()
        self._lock = threading.Lock()

    def settle(self, result: CaseResult, run: Callable[[], CaseResult]) -> CaseResult:
        """The result, or that of a second run when the first run of the case ran out of time."""
        if not _ran_out_of_time(result) or not self._take(result.subject):
            return result
        second = run()
        if second.judgement.verdict not in (FAIL, INCONCLUSIVE):
            self._give_back(result.subject)
        return _noted(second, result.judgement.seen.signature(result.case))

    def _take(self, subject: str) -> bool:
        with self._lock:
            self._left[subject] += 1
            return self._left[subject] <= MOST

    def _give_back(self, subject: str) -> None:
        with self._lock:
            self._left[subject] -= 1


def _ran_out_of_time(result: CaseResult) -> bool:
    """Whether only a limit of time decided: no answer came, the process did not end, or the adapter did not answer the kit."""
    seen = result.judgement.seen
    verdict = result.judgement.verdict
    return verdict == INCONCLUSIVE or (verdict == FAIL and (seen.outcome in _WAITED or seen.ending == "hung"))


def _noted(result: CaseResult, first: str) -> CaseResult:
    """The result with the first run in its words."""
    seen = result.judgement.seen
    text = "; ".join(filter(None, (seen.text, f"the first run of the case was {first}, this is the second")))
    judgement = replace(result.judgement, seen=replace(seen, text=text, cause=seen.cause or seen.text))
    return replace(result, judgement=judgement, first=first)
