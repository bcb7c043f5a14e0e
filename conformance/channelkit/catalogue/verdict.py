"""From an observation to a verdict."""

from dataclasses import dataclass

from channelkit.catalogue.cases import Case

PASS, LENIENT, FAIL, UNSUPPORTED = "pass", "lenient", "fail", "unsupported"
KNOWN, FIXED, INCONCLUSIVE = "known", "fixed", "inconclusive"

VERDICTS = (PASS, LENIENT, UNSUPPORTED, KNOWN, FIXED, FAIL, INCONCLUSIVE)
"""All verdicts, from best to worst."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The observation of a variant. ``ending`` is None when the process went on to the next variant."""

    variant: str
    outcome: str
    ending: str | None = None
    text: str = ""
    expected: str = ""
    """The expectation of the step under way, in words."""
    cause: str = ""
    """Equal for two cases that show the same fault; empty when the text names the fault."""

    def signature(self, case: Case) -> str:
        """The name in a known-failures list: the outcome, or ``outcome/ending`` when only the ending is wrong."""
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
    """Judges a variant: the case must list both its outcome and its ending."""
    if not _acceptable(case, seen.outcome) or (seen.ending is not None and seen.ending not in case.ending):
        return Judgement(FAIL, seen)
    outcome = case.outcomes[seen.outcome]
    if outcome == "conform":
        return Judgement(PASS, seen)
    return Judgement(LENIENT, seen, outcome["flag"])


def worst(judgements: list[Judgement]) -> Judgement:
    """The judgement that decides a case: the first with the worst verdict."""
    return max(judgements, key=lambda one: VERDICTS.index(one.verdict))


def with_known(judgement: Judgement, listed: str | None, case: Case) -> Judgement:
    """Applies the known-failures list. ``listed`` is its entry for the case, None when there is no entry.

    Several outcomes, parted by ``|``, declare that the outcome varies from run to run; a good outcome may be among them.
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
    """Whether a verdict makes the subject nonconformant. A case of the level ``INFO`` never does."""
    return verdict == FIXED or (verdict == FAIL and level != "INFO")
