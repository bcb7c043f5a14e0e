"""Reads case files: checks them, writes out ``use`` and ``repeat`` steps, and names the line of a mistake."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from channelkit.catalogue.cases import Case
from channelkit.catalogue.expansion import Entry, entries, expanded
from channelkit.catalogue.lines import line_of
from channelkit.catalogue.members import SCHEMA
from channelkit.errors import UsageError
from channelkit.resources import case_files
from channelkit.schema import Fault, Place
from channelkit.steps.folded import unrolled
from channelkit.steps.kinds import Step, kind_of
from channelkit.steps.writes import encode
from channelkit.wire.modes import of_mode

_LISTS = ("rules", "roles", "needs", "ending", "like")
"""Members of a case that no caller changes."""


def shipped() -> list[Case]:
    """The cases of the kit. A process reads and checks their files once."""
    return list(_shipped())


@cache
def _shipped() -> tuple[Case, ...]:
    return tuple(load(case_files()))


def load(files: Iterable[Path]) -> list[Case]:
    """All cases of the files. Raises :class:`UsageError` that names the file, the line and the mistake."""
    found: dict[str, Case] = {}
    for file in files:
        for case in load_file(file):
            if case.id in found:
                raise UsageError(f"{file}: the id {case.id} is there twice")
            found[case.id] = case
    return list(found.values())


def load_file(file: Path) -> list[Case]:
    """The cases of a file. Raises :class:`UsageError` that names the file, the line and the mistake."""
    try:
        text = file.read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: not a case file: {error}") from error
    fault = _fault(content)
    if fault is not None:
        raise UsageError(f"{file}:{line_of(text, fault.place)}: {_told(fault, content)}")
    return [case_of(entry, content["topic"]) for entry in entries(content)]


def _told(fault: Fault, content: Any) -> str:
    """The fault in a sentence, behind the id of the case, if the faulty case has an id."""
    match fault.place:
        case ("cases", int(number), *place):
            entry = content["cases"][number]
            name = entry.get("id") if isinstance(entry, dict) else None
            told = replace(fault, place=tuple(place)).told("the case")
            return f"{name}: {told}" if isinstance(name, str) else told
    return fault.told("the file")


def case_of(entry: Entry, topic: str) -> Case:
    """The case of an entry without faults and without ``each``."""
    lists: dict[str, Any] = {name: tuple(entry[name]) for name in _LISTS if name in entry}
    steps = list(unrolled(entry["steps"]))
    return Case(**{**entry, **lists, "steps": steps, "folded": entry["steps"], "topic": topic})


def fault_of(entry: Any) -> str:
    """The fault of a case as it stands in a file without fragments; empty when there is none."""
    content = {"topic": "any", "cases": [entry]}
    fault = _fault(content)
    return "" if fault is None else _told(fault, content)


def _fault(content: Any) -> Fault | None:
    """The first fault of the content of a case file."""
    fault = SCHEMA.fault(content)
    if fault is not None:
        return fault
    found = (
        _fault_of_entry(entry, content, ("cases", number)) for number, entry in enumerate(content["cases"])
    )
    return next((fault for fault in found if fault is not None), None)


# ---- faults that the schema cannot find ------------------------------------------------------------------------


def _fault_of_entry(entry: Entry, content: dict[str, Any], place: Place) -> Fault | None:
    """The first fault of an entry that fits the schema."""
    try:
        cases = list(expanded(entry, content))
    except UsageError as error:
        return Fault(str(error), (*place, "steps"), names_it=True)
    for row, case in enumerate(cases):
        where = (*place, "each", row) if "each" in entry else place
        fault = SCHEMA.part({"$ref": "#/$defs/case"}).fault(case) if case != entry else None
        if fault is not None:
            return replace(fault, place=where, text=fault.told("the case"), names_it=True)
        for number, step in _numbered(case["steps"]):
            text = _fault_of_step(step, case)
            if text:
                at = (*place, "steps", *number) if case == entry else where
                return Fault(text, at, names_it=True)
    return None


def _numbered(steps: list[Step]) -> Iterator[tuple[Place, Step]]:
    """Every step with its place, steps inside of a step included."""
    for number, step in enumerate(steps):
        yield (number,), step
        for inner, one in enumerate(step.get("steps", ())):
            yield (number, "steps", inner), one


def _fault_of_step(step: Step, entry: Entry) -> str:
    kind = kind_of(step)
    if kind.roles and not set(entry["roles"]) <= set(kind.roles):
        return f"a step {kind.name} is only for the roles {', '.join(kind.roles)}"
    if kind.rung > entry["rung"] and "child" in entry["roles"]:
        return f"a step {kind.name} needs rung {kind.rung}"
    if any("steps" in inner for inner in step.get("steps", ())):
        return f"no step {kind.name} inside of a step {kind.name}"
    if kind.name == "write":
        try:
            data = encode(of_mode(entry.get("start", {}).get("mode", entry.get("mode"))), step["write"])
            return _fault_of_places(step, len(data))
        except (ValueError, TypeError, RecursionError) as error:
            return f"bad chunk in a write: {error}"
    return ""


def _fault_of_places(step: Step, size: int) -> str:
    outside = [place for place in step.get("cut", ()) if place >= size]
    if outside:
        return f"the write has {size} bytes, so that `cut` cannot name byte {outside[0]}"
    if "at" in step and not ("fd" in step and step["at"] < size):
        return f"`at` is the byte that a descriptor comes with: it needs `fd` and is less than {size}"
    return ""
