"""A case of the catalogue: its members, the facts that follow from its steps, and its selection by a user."""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from channelkit.catalogue.members import LEVELS
from channelkit.steps.kinds import kind_of
from channelkit.steps.writes import variants, written
from channelkit.wire.headers import WIRES
from channelkit.wire.modes import of_mode
from channelkit.wire.serialization import Serialization, split


@dataclass(frozen=True, slots=True)
class Case:
    """A case of the catalogue. Its fields are the members of the case file."""

    id: str
    title: str
    rules: tuple[str, ...]
    level: str
    roles: tuple[str, ...]
    rung: int
    steps: list[dict[str, Any]] = field(hash=False)
    outcomes: dict[str, Any] = field(hash=False)
    topic: str = ""
    needs: tuple[str, ...] = ()
    segment: str = "none"
    ending: tuple[str, ...] = ("clean",)
    guards: str = ""
    fresh: bool = False
    mode: str = "json"
    """The mode of the channel; subjects of another one are not asked."""
    wire: str = WIRES[0]
    """The form of the bytes; only the cases of POSIX are asked of subjects of both."""
    like: tuple[str, ...] = ()
    start: dict[str, Any] = field(default_factory=dict, hash=False)
    folded: list[dict[str, Any]] = field(default_factory=list, hash=False)
    """The steps as they stand in the file."""

    @property
    def serialization(self) -> Serialization:
        """The serialization in which the kit speaks."""
        return of_mode(self.start.get("mode", self.mode))

    @property
    def writes(self) -> list[tuple[bytes, bool]]:
        """The bytes of each ``write`` step and whether a descriptor rides on them."""
        return written(self.serialization, self.steps)

    @property
    def variants(self) -> list[str]:
        """The names of the segmentations, ``whole`` first."""
        return variants(self.serialization, self.steps, every=self.segment == "all")

    @property
    def opens(self) -> bool:
        """Whether a step opens the channel, and not the runner before the first step."""
        return any(step.get("do", {}).get("command") == "open" for step in self.steps)

    @property
    def leaves_open(self) -> bool:
        """Whether the steps leave channel and adapter as they found them, so that a variant can follow."""
        return _leaves_open(self)

    @property
    def can_share(self) -> bool:
        """Whether the case may run in a process that earlier cases have used. A failure there does not count."""
        return (
            self.leaves_open
            and not (self.fresh or self.start)
            and "clean" in self.ending
            and not self._waits_for({"silence", "child"})
        )

    @property
    def can_end_it(self) -> bool:
        """Whether some of the outcomes end the process, so that cases after it would have to start again."""
        return self._waits_for({"stop"})

    def _waits_for(self, kinds: set[str]) -> bool:
        return any(one.keys() & kinds for step in self.steps for one in alternatives(step))


@cache
def _leaves_open(case: Case) -> bool:
    # Asked for after each variant with each subject, and some cases write megabytes.
    _frames, unfinished = split(case.serialization, b"".join(data for data, _descriptor in case.writes))
    return not unfinished and not any(map(_ends_or_changes, case.steps))


def _ends_or_changes(step: dict[str, Any]) -> bool:
    if kind_of(step).ends:
        return True
    if "do" in step:
        return step["do"].get("command") not in _HARMLESS
    return any("eof" in one or "exit" in one for one in alternatives(step))


_HARMLESS = ("accept", "close", "getConnections", "make", "prove", "send")
"""Commands after which the adapter is as good as new."""


def alternatives(step: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives that an ``expect`` step waits for; empty for a step of another kind."""
    wanted = step.get("expect", [])
    return wanted if isinstance(wanted, list) else [wanted]


# ---- selecting -----------------------------------------------------------------------------------------------


def select(cases: Iterable[Case], pattern: str | None, level: str | None) -> list[Case]:
    """The cases that ``pattern`` chooses (an id, ``id:variant``, a glob, a rule or a part of an id), at ``level`` or stricter."""
    wanted = list(cases)
    if level is not None:
        wanted = [case for case in wanted if LEVELS.index(case.level) <= LEVELS.index(level)]
    if pattern is None:
        return wanted
    name = pattern.partition(":")[0]
    exact = [case for case in wanted if case.id == name]
    return exact or [
        case for case in wanted if name in case.id or name in case.rules or fnmatch.fnmatchcase(case.id, name)
    ]


def applies(case: Case, role: str, rung: int) -> bool:
    """Whether a subject of that role and rung can be asked this case. As parent every case is driven."""
    return role in case.roles and (role == "parent" or case.rung <= rung)
