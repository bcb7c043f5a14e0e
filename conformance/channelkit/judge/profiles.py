"""The profiles of the spec: how much of a role an implementation has."""

from collections.abc import Sequence
from dataclasses import dataclass

from channelkit.catalogue.cases import Case
from channelkit.catalogue.othermode import MODE, as_advanced
from channelkit.judge.subjects import Description


@dataclass(frozen=True, slots=True)
class Profile:
    """A role, the rung up to which its cases go, and a mode. As parent every case is driven, with handles or without."""

    role: str
    rung: int
    mode: str = "json"

    def includes(self, case: Case) -> bool:
        """Whether the case belongs to the profile."""
        asked = case.mode == self.mode or (
            self.mode == MODE and self.driven and as_advanced(case) is not None
        )
        return asked and self.role in case.roles and case.rung <= self.rung

    @property
    def driven(self) -> bool:
        """Whether its subjects read messages, beyond sending them back."""
        return self.role != "child" or self.rung > 0

    def select(
        self, cases: Sequence[Case], subjects: Sequence[Description]
    ) -> tuple[list[Case], list[Description]]:
        """The cases of the profile, and the subjects that have its role and reach it."""
        reach = [
            one
            for one in subjects
            if one.role == self.role
            and one.mode == self.mode
            and (one.role == "parent" or one.rung >= self.rung)
        ]
        return [case for case in cases if self.includes(case)], reach


PROFILES = {
    "echo-child": Profile("child", 0),
    "child": Profile("child", 1),
    "child-with-handles": Profile("child", 2),
    "parent": Profile("parent", 1),
    "parent-with-handles": Profile("parent", 2),
    "worker": Profile("worker", 0),
    "primary": Profile("primary", 0),
    "advanced-echo-child": Profile("child", 0, MODE),
    "advanced-child": Profile("child", 1, MODE),
    "advanced-child-with-handles": Profile("child", 2, MODE),
    "advanced-parent": Profile("parent", 1, MODE),
    "advanced-parent-with-handles": Profile("parent", 2, MODE),
    "advanced-worker": Profile("worker", 0, MODE),
    "advanced-primary": Profile("primary", 0, MODE),
}
"""Name to profile, as chapter 85 of the spec has them."""
