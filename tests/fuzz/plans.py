"""Complete plans: cases that Hypothesis draws before any peer is touched."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from channelkit.catalogue.loading import case_of, fault_of
from fuzz import receiving, repertoire

if TYPE_CHECKING:
    from channelkit.catalogue.cases import Case
    from fuzz.acts import Act

_SHOULD = ("HND-051", "FRM-026", "HND-041", "CLS-005", "HND-008", "FRM-028", "JSN-029")


@dataclass(frozen=True)
class Traits:
    """The facts about the peers of a search that its plans depend on."""

    strict: bool = False
    """The peers go on after every input, as the reference does, so that bad input may stand in the middle."""
    avoid: frozenset[str] = field(default_factory=frozenset)
    """Cases of the catalogue in which the peers are known to deviate; plans leave out their subjects."""
    role: str = "child"
    conserve: bool = True
    """The descriptors of the peers are counted."""


@dataclass(frozen=True)
class Plan:
    """A case as it stands in a file, and the names of its parts."""

    entry: dict[str, Any]
    kinds: frozenset[str]

    @property
    def case(self) -> Case:
        """The case."""
        return case_of(self.entry, "fuzz")

    @property
    def file(self) -> str:
        """The text of a case file with this case alone."""
        return json.dumps({"topic": "fuzz", "cases": [self.entry]}, indent=1) + "\n"

    def __repr__(self) -> str:
        return f"Plan({json.dumps(self.entry['steps'])})"


@st.composite
def plans(draw: st.DrawFn, traits: Traits) -> Plan:
    """Draw a plan of at most four acts."""
    quiet = draw(st.booleans())
    usual = [*repertoire.ORDINARY, *(repertoire.QUIET if quiet else ())]
    if traits.strict:
        usual += [*repertoire.STRICT, *(() if quiet else repertoire.HARSH)]
    factories = draw(st.lists(st.sampled_from(usual), min_size=1, max_size=3))
    tail = draw(st.sampled_from(["open", "open", "last", "harsh"]))
    if tail == "harsh" and not quiet and not traits.strict:
        factories.append(draw(st.sampled_from(repertoire.HARSH)))
    elif tail != "open":
        factories.append(draw(st.sampled_from(repertoire.LAST)))
    drawn = [draw(factory(number, traits.avoid)) for number, factory in enumerate(factories)]
    drawn = [act for act in drawn if traits.role in act.roles and not _known_to_deviate(act, traits)]
    buffer = draw(st.sampled_from([None, None, None, 2304, 10_000]))
    return assemble(drawn or [draw(receiving.messages(0, traits.avoid))], traits, buffer)


def _known_to_deviate(act: Act, traits: Traits) -> bool:
    return bool(traits.avoid & set(act.like))


def assemble(drawn: list[Act], traits: Traits, buffer: int | None) -> Plan:
    """Return the plan of these acts."""
    # An act that waits for errors and an act that allows the same errors do not fit together.
    if any(act.quiet for act in drawn):
        drawn = [act for act in drawn if not act.harsh]
    steps = [step for act in drawn for step in act.steps]
    lasting = not any(act.last for act in drawn)
    if buffer:
        steps.insert(0, {"send_buffer": buffer})
    if lasting:
        steps.append({"barrier": True})
        if traits.conserve:
            steps = [{"descriptors": "count"}, *steps, {"expect_descriptors": "same"}]
    rules = sorted({rule for act in drawn for rule in act.rules})
    outcomes = {"ok": "conform"}
    for act in drawn:
        outcomes |= act.outcomes
    if all("turned-down" in act.outcomes for act in drawn):
        del outcomes["ok"]
    entry: dict[str, Any] = {
        "id": "fuzz-" + hashlib.sha256(json.dumps(steps).encode()).hexdigest()[:8],
        "title": "; ".join(sorted({kind for act in drawn for kind in act.kinds & repertoire.MESSAGE_KINDS})),
        "rules": rules,
        "level": "SHOULD" if set(rules) <= set(_SHOULD) else "MUST",
        "roles": sorted(set.intersection(*(set(act.roles) for act in drawn))),
        "rung": 2 if any(act.needs for act in drawn) else 1,
        "steps": steps,
        "outcomes": outcomes,
    }
    needs = sorted({need for act in drawn for need in act.needs})
    like = sorted({case for act in drawn for case in act.like})
    ending = drawn[-1].ending if drawn[-1].last or drawn[-1].harsh else ("clean",)
    if any(act.harsh for act in drawn):
        ending = ("clean", "closed", "died")
    entry |= {name: value for name, value in (("needs", needs), ("like", like)) if value}
    entry |= {"ending": list(ending)} if ending != ("clean",) else {}
    assert not fault_of(entry), fault_of(entry)
    kinds = frozenset(kind for act in drawn for kind in act.kinds) | (
        {"small buffer"} if buffer else frozenset()
    )
    return Plan(entry, kinds)
