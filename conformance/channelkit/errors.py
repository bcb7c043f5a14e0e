"""The errors of the kit itself, as opposed to faults of the subject under test."""


class KitError(Exception):
    """Base class of the kit's own errors."""


class UsageError(KitError):
    """The command line, a case file or a list given by the user is wrong (exit status 2)."""


class HarnessError(KitError):
    """The kit or the adapter's control channel failed: the case is inconclusive (exit status 3)."""


class NoAnswer(HarnessError):
    """The adapter ended or gave no answer where the contract demands an answer. No case can be run with it."""


class NoChannel(KitError):
    """A parent started a child that finds no channel: a fault of the subject."""


class LimitExceeded(KitError):
    """The subject went beyond a limit of the kit. The case has an ``outcome``, and it is a failure of the subject."""

    def __init__(self, outcome: str, text: str) -> None:
        super().__init__(text)
        self.outcome = outcome


class Interrupted(KitError):
    """The run was stopped from outside while a case was under way."""
