"""The catalogue: loads case files, checks them by hand (no schema library at run time), selects from them."""

import fnmatch
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from channelkit.errors import UsageError
from channelkit.process.table import WORDS as TABLE_WORDS
from channelkit.steps.expect import KINDS
from channelkit.steps.kept import fill_value
from channelkit.steps.sockets import KINDS as SOCKET_KINDS
from channelkit.wire.segments import Cut, last_frame, placed, variants
from channelkit.wire.values import compact

LEVELS = ("MUST", "SHOULD", "MAY", "INFO")
"""From the strictest to what is only observed."""
ENDINGS = ("clean", "closed", "died", "hung")
ROLES = ("child", "parent", "worker", "primary")

_FIELDS = frozenset(
    (
        "id",
        "title",
        "rules",
        "level",
        "roles",
        "rung",
        "needs",
        "segment",
        "steps",
        "outcomes",
        "ending",
        "guards",
        "fresh",
        "like",
        "start",
    )
)
_REQUIRED = ("id", "title", "rules", "level", "roles", "rung", "steps", "outcomes")


@dataclass(frozen=True, slots=True)
class Case:
    """One case of the catalogue; the fields are those of the case file."""

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
    like: tuple[str, ...] = ()
    start: dict[str, Any] = field(default_factory=dict, hash=False)
    folded: list[dict[str, Any]] = field(default_factory=list, hash=False)
    """The steps as they stand in the file."""

    @property
    def writes(self) -> list[tuple[bytes, bool]]:
        """The bytes of each ``write`` step and whether a descriptor rides on it."""
        return [(encode(step["write"]), "fd" in step) for step in self.steps if "write" in step]

    @property
    def variants(self) -> dict[str, Any]:
        """Segmentations by name, ``whole`` first."""
        own = [_own_cut(step) for step in self.steps if "write" in step]
        return {
            name: [mine if mine is not None else cut for mine, cut in zip(own, cuts, strict=True)]
            for name, cuts in variants(self.writes, every=self.segment == "all").items()
        }

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
        """Whether the case may run in a process that other cases have used, if it passes there."""
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
    data = b"".join(data for data, _descriptor in case.writes)
    return (not data or data.endswith(b"\n")) and not any(map(_ends_or_changes, case.steps))


def _ends_or_changes(step: dict[str, Any]) -> bool:
    if not step.keys().isdisjoint(("close", "shutdown", "end")):
        return True
    if "do" in step:
        return step["do"].get("command") not in _HARMLESS
    return any("eof" in one or "exit" in one for one in alternatives(step))


_HARMLESS = ("accept", "close", "getConnections", "make", "poke", "send")
"""Commands after which the adapter is as good as new."""


def _own_cut(step: dict[str, Any]) -> Cut | None:
    if step.keys().isdisjoint(("cut", "at")):
        return None
    data = encode(step["write"])
    at = step.get("at", last_frame(data)) if "fd" in step else None
    return placed(data, step.get("cut", ()), at)


def alternatives(step: dict[str, Any]) -> list[dict[str, Any]]:
    """What an ``expect`` step waits for; empty for other steps."""
    wanted = step.get("expect", [])
    return wanted if isinstance(wanted, list) else [wanted]


def encode(chunks: Iterable[Any]) -> bytes:
    """The bytes of a ``write`` step. Raises :class:`ValueError` or :class:`TypeError` on a bad chunk."""
    out = bytearray()
    for chunk in chunks:
        if isinstance(chunk, str):
            out += chunk.encode()
        elif "hex" in chunk:
            out += bytes.fromhex(chunk["hex"])
        elif "json" in chunk:
            out += compact(chunk["json"]) + b"\n"
        elif "repeat" in chunk:
            out += chunk["repeat"].encode() * chunk["times"]
        else:
            raise ValueError(f"unknown chunk {chunk!r}")
    return bytes(out)


# ---- loading -------------------------------------------------------------------------------------------------


def load(files: Iterable[Path]) -> list[Case]:
    """All cases of the files. Raises :class:`UsageError` naming the file and what is wrong in it."""
    found: dict[str, Case] = {}
    for file in files:
        for case in load_file(file):
            if case.id in found:
                raise UsageError(f"{file}: {case.id} is there twice")
            found[case.id] = case
    return list(found.values())


def load_file(file: Path) -> list[Case]:
    """The cases of one file. Raises :class:`UsageError`."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        topic, entries = content["topic"], content["cases"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{file}: not a case file: {error}") from error
    cases = []
    for entry in entries:
        problem = fault_of(entry)
        if problem:
            name = entry.get("id", "?") if isinstance(entry, dict) else "?"
            raise UsageError(f"{file}: {name}: {problem}")
        cases.append(case_of(entry, topic))
    return cases


def case_of(entry: dict[str, Any], topic: str) -> Case:
    """The case of an entry that has no fault."""
    lists: dict[str, Any] = {
        name: tuple(entry[name]) for name in ("rules", "roles", "needs", "ending", "like") if name in entry
    }
    return Case(
        **{**entry, **lists, "steps": unfold(entry["steps"]), "folded": entry["steps"], "topic": topic}
    )


def unfold(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps with every ``times`` step written out; ``"@time@"`` becomes the number of the round, from 0 on."""
    found: list[dict[str, Any]] = []
    for step in steps:
        if "times" in step:
            found += (fill_value({"time": n}, one) for n in range(step["times"]) for one in step["steps"])
        else:
            found.append(step)
    return found


def fault_of(entry: Any) -> str:
    """What is wrong with a case as it stands in a file; empty when nothing is."""
    if not isinstance(entry, dict):
        return "a case is an object"
    missing = [name for name in _REQUIRED if name not in entry]
    if missing:
        return f"without {', '.join(missing)}"
    if unknown := entry.keys() - _FIELDS:
        return f"unknown field {', '.join(sorted(unknown))}"
    for name, sound in _CHECKS.items():
        if name in entry and not sound(entry[name]):
            return f"bad value of {name}: {entry[name]!r}"
    return next(filter(None, map(_fault_of_step, entry["steps"])), "")


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(member, str) for member in value)


def _can_start(
    descriptor: Any = 3,
    mode: Any = None,
    env: Any = MappingProxyType({}),
    policy: Any = "round-robin",
    **unknown: Any,
) -> bool:
    return (
        not unknown
        and policy in ("round-robin", "shared")
        and _positive(descriptor)
        and descriptor > 2  # the others are the standard streams
        and all(text is None or isinstance(text, str) for text in (mode, *env.values()))
    )


def _outcomes(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(
            one in ("conform", "violate")
            or (isinstance(one, dict) and one.get("class") == "lenient" and isinstance(one.get("flag"), str))
            for one in value.values()
        )
    )


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "id": lambda value: isinstance(value, str) and value != "" and ":" not in value and " " not in value,
    "title": lambda value: isinstance(value, str),
    "rules": lambda value: _strings(value) and bool(value),
    "level": LEVELS.__contains__,
    "roles": lambda value: _strings(value) and bool(value) and set(value) <= set(ROLES),
    "rung": lambda value: value in (0, 1, 2, 3),
    "needs": _strings,
    "segment": ("all", "none").__contains__,
    "steps": lambda value: isinstance(value, list) and all(isinstance(step, dict) for step in value),
    "outcomes": _outcomes,
    "ending": lambda value: _strings(value) and bool(value) and set(value) <= set(ENDINGS),
    "guards": lambda value: isinstance(value, str),
    "fresh": lambda value: isinstance(value, bool),
    "start": lambda value: isinstance(value, dict) and _can_start(**value),
    "like": _strings,
}

_STEP_FIELDS = {
    "times": {"steps"},
    "write": {"fd", "cut", "at"},
    "make": {"name", "blocking"},
    "drop": set(),
    "allow": set(),
    "expect": set(),
    "barrier": set(),
    "do": {"refused", "later"},
    "reply": set(),
    "answer": set(),
    "reach": {"text"},
    "connect": {"name"},
    "visit": {"name"},
    "hangup": set(),
    "listen": set(),
    "refuses": set(),
    "feed": {"text"},
    "taste": {"text"},
    "nonblocking": set(),
    "close": set(),
    "shutdown": set(),
    "stopped": set(),
    "end": set(),
    "reading": set(),
    "gone": set(),
    "meter": set(),
    "ratio": {"most"},
    "buffer": set(),
    "descriptors": set(),
}


def _fault_of_step(step: dict[str, Any]) -> str:
    names = [name for name in _STEP_FIELDS if name in step]
    if len(names) != 1:
        return f"a step has exactly one kind: {step!r}"
    name = names[0]
    if unknown := step.keys() - {name} - _STEP_FIELDS[name]:
        return f"unknown field {', '.join(sorted(unknown))} in a {name} step"
    if name == "times":
        inner = step.get("steps")
        if not (
            _positive(step["times"])
            and isinstance(inner, list)
            and all(isinstance(one, dict) for one in inner)
        ):
            return f"a times step has a number and steps: {step!r}"
        if any("times" in one for one in inner):
            return "no times step inside another"
        return next(filter(None, map(_fault_of_step, inner)), "")
    if name == "write":
        try:
            problem = _fault_of_places(step, len(encode(step["write"])))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            return f"bad chunk in a write step: {error}"
        if problem:
            return problem
    if (
        name in ("reading", "buffer")
        and not _positive(step[name])
        and (name, step[name]) not in (("reading", None), ("reading", 0))
    ):
        return f"a {name} step has a number of bytes: {step!r}"
    if name == "stopped" and not isinstance(step["stopped"], bool):
        return f"a stopped step says true or false: {step!r}"
    if name == "descriptors" and step["descriptors"] not in TABLE_WORDS:
        return f"bad descriptors step {step!r}"
    if name == "make" and (step["make"] not in SOCKET_KINDS or not isinstance(step.get("name"), str)):
        return f"bad make step {step!r}"
    if name == "do" and not (isinstance(step["do"], dict) and isinstance(step["do"].get("command"), str)):
        return f"a do step names its command: {step!r}"
    if name == "allow" and not isinstance(step["allow"], dict):
        return "an allow step names events by their members"
    if name in ("reach", "feed", "taste") and not isinstance(step.get("text"), str):
        return f"a {name} step has a text"
    if name in ("reply", "answer") and not isinstance(step[name], dict):
        return f"a {name} step has an object: {step!r}"
    return next(filter(None, map(_fault_of_alternative, alternatives(step))), "")


def _fault_of_places(step: dict[str, Any], size: int) -> str:
    """What is wrong with where a write is cut and where its descriptors ride; empty when nothing is."""
    cut, names = step.get("cut", []), step.get("fd", "one")
    if not isinstance(cut, list) or not all(_positive(place) and place < size for place in cut):
        return f"the places of a cut are inside the write: {cut!r}"
    if "at" in step and not ("fd" in step and isinstance(step["at"], int) and 0 <= step["at"] < size):
        return "`at` is the byte of the write that a descriptor rides on"
    if not (isinstance(names, str) or (_strings(names) and names)):
        return f"`fd` is a name or a list of names: {names!r}"
    return ""


def _positive(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


_EXPECT_FIELDS = frozenset((*KINDS, "as", "stop", "subset", "fd", "at", "both", "handle", "keep"))


def _fault_of_alternative(one: Any) -> str:
    if not isinstance(one, dict):
        return f"an expectation is an object: {one!r}"
    kinds = [kind for kind in KINDS if kind in one]
    if len(kinds) != 1 and kinds != ["frame", "text"]:
        return f"an expectation has exactly one kind: {one!r}"
    if unknown := one.keys() - _EXPECT_FIELDS:
        return f"unknown field {', '.join(sorted(unknown))} in an expectation"
    if "exit" in one and one["exit"] not in ("zero", "nonzero", "signal"):
        return f"unknown exit {one['exit']!r}"
    return ""


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
