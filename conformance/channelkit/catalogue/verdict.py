"""From what was seen to a verdict."""

from dataclasses import dataclass

from channelkit.catalogue.cases import Case

PASS, LENIENT, FAIL, UNSUPPORTED = "pass", "lenient", "fail", "unsupported"
KNOWN, FIXED, INCONCLUSIVE = "known", "fixed", "inconclusive"

VERDICTS = (PASS, LENIENT, UNSUPPORTED, KNOWN, FIXED, FAIL, INCONCLUSIVE)
"""All verdicts, from best to worst."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one variant showed. ``ending`` is None while the process went on to the next variant."""

    variant: str
    outcome: str
    ending: str | None = None
    text: str = ""
    expected: str = ""
    """What the step under way waited for, in words."""
    cause: str = ""
    """Equal for two cases that show one fault; empty when the text says it."""

    def signature(self, case: Case) -> str:
        """What a known-failures list names: the outcome, or ``outcome/ending`` when only the ending is wrong."""
        return f"{self.outcome}/{self.ending}" if _acceptable(case, self.outcome) else self.outcome


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdict of a case with the variant that decided it; ``flag`` names the leniency."""

    verdict: str
    seen: Seen
    flag: str = ""


def _acceptable(case: Case, outcome: str) -> bool:
    return outcome in case.outcomes and case.outcomes[outcome] != "violate"


def judge(case: Case, seen: Seen) -> Judgement:
    """Judges one variant: both the outcome and the ending must be among those of the case."""
    if not _acceptable(case, seen.outcome) or (seen.ending is not None and seen.ending not in case.ending):
        return Judgement(FAIL, seen)
    outcome = case.outcomes[seen.outcome]
    if outcome == "conform":
        return Judgement(PASS, seen)
    return Judgement(LENIENT, seen, outcome["flag"])


def worst(judgements: list[Judgement]) -> Judgement:
    """The judgement that decides a case: the first of the worst."""
    return max(judgements, key=lambda one: VERDICTS.index(one.verdict))


def with_known(judgement: Judgement, listed: str | None, case: Case) -> Judgement:
    """Applies the known-failures list: ``listed`` is what it names for the case, None when it names none.

    Several outcomes, parted by ``|``, declare that the subject does now this, now that; a good one may be among them.
    """
    if listed is None or judgement.verdict in (UNSUPPORTED, INCONCLUSIVE):
        return judgement
    good = judgement.verdict in (PASS, LENIENT)
    name = judgement.seen.outcome if good else judgement.seen.signature(case)
    if name in listed.split("|") and (not good or "|" in listed):
        return Judgement(KNOWN, judgement.seen)
    if good:
        return Judgement(FIXED, judgement.seen)
    return judgement


def counts_against(verdict: str, level: str) -> bool:
    """Whether a verdict makes the subject nonconformant. What is only observed (``INFO``) never does."""
    return verdict == FIXED or (verdict == FAIL and level != "INFO")
