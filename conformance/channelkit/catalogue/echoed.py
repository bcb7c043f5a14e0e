"""Cases for driven adapters, changed so that an echo child can run them: all that shows on the wire stays.

An echo child knows no commands and no events, and it does not use received handles. When enough of a case is left, the case
applies at rung 0, too. Its id, its rules and its outcomes stay the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from channelkit.catalogue.cases import Case, alternatives
from channelkit.steps.kinds import kind_of
from channelkit.steps.writes import encode
from channelkit.wire.serialization import Serialization, split

Step = dict[str, Any]

ANY: dict[str, Any] = {"$": "any"}
"""Stands for any delivered message, also for an echo that is no JSON text."""

VERBATIM = "verbatim"
"""The outcome of a bad line that comes back unchanged: the child does not look into the lines that it echoes."""
_UNSEEN = ("allow_event",)


@cache
def as_echo(case: Case) -> Case | None:
    """The case for an echo child; None when the case needs commands or when its rest shows no fault."""
    if case.rung == 0 or "child" not in case.roles or case.opens or case.start or case.mode != "json":
        return None
    steps: list[Step] = []
    unseen: Step | None = None
    """The latest step that waits for a report. An echo child makes no report, so the next step accepts the replacements of it, too."""
    received = 0
    closed = False
    bad: list[dict[str, Any]] = []
    rest = b""
    if "died" in case.ending and not _may_die_first(case.steps):
        return None  # the echo of a good line is lost with a child that dies of the next
    for step, following in zip(case.steps, [*case.steps[1:], {}], strict=True):
        found = _step(step, received)
        if found is None or (closed and "expect" in step and found):
            return None  # an echo cannot be read behind the end
        received += sum("handle" in one for one in alternatives(step)[:1])
        closed = closed or "close_channel" in step
        if "write" in step:
            lines, rest = split(case.serialization, rest + encode(case.serialization, step["write"]))
            bad = list(_verbatim(case.serialization, lines)) if lines else bad
        if "expect" in step and unseen is not None and found:
            found = _joined(alternatives(found[0]), unseen, bad)
            unseen = None
        if "expect" not in step or not any(_is_report(one) for one in alternatives(step)):
            steps += found
        elif "expect" in following:
            unseen = step
        else:
            steps += _marked(step, len(steps), bad)
    if not any("expect" in step or "expect_closed" in step for step in steps) and not _is_probed(steps):
        return None
    outcomes = {**case.outcomes, VERBATIM: {"class": "lenient", "flag": "AcceptsMoreThanJson"}}
    # An echo child names a handle by its number in the process, so handles of earlier cases would shift the number.
    fresh = case.fresh or any(map(_closes_received, case.steps))
    return replace(case, rung=0, steps=steps, folded=steps, outcomes=outcomes, fresh=fresh)


def _is_probed(steps: list[Step]) -> bool:
    """Whether a barrier behind a write shows that the written bytes had no effect."""
    kinds = [next(iter(step)) for step in steps]
    return "write" in kinds and "barrier" in kinds[kinds.index("write") :]


def _step(step: Step, received: int) -> list[Step] | None:
    """The part of a step that an echo child can run; None when the case needs the rest of the step."""
    if "expect" in step:
        return _expect(step)
    if step.get("descriptors", "count") != "count" or step.get("expect_descriptors", "same") != "same":
        return None
    if kind_of(step).echo:
        return [step]
    if any(name in step for name in _UNSEEN):
        return []
    if "expect_at_peer" in step or step.get("do", {}).get("command") == "prove":
        return []  # an echo child writes to no handle
    if _closes_received(step):
        message = {"closeHandle": received}
        return [{"write": [{"message": message}]}, {"expect": {"delivered": message}}]
    return None


def _closes_received(step: Step) -> bool:
    """Whether a step closes the latest handle that arrived."""
    asked = step.get("do", {})
    return bool(asked.get("command") == "close" and asked.get("handle") == "$handle")


def _expect(step: Step) -> list[Step] | None:
    wanted = alternatives(step)
    left = _others(step)
    if all("silence" in one for one in left) and left:
        return None
    if not left and not all(_is_report(one) for one in wanted):
        return None
    return [_expectation(left)] if left else []


def _expectation(wanted: list[dict[str, Any]]) -> Step:
    return {"expect": wanted if len(wanted) > 1 else wanted[0]}


def _others(step: Step) -> list[dict[str, Any]]:
    """The alternatives of a step that an echo child can show."""
    found = [other for one in alternatives(step) if (other := _alternative(one)) is not None]
    nulled = [{**one, "delivered": _nulled(one["delivered"])} for one in found if "delivered" in one]
    return [*found, *(one for one in nulled if one not in found)]


def _nulled(value: Any) -> Any:
    """A value with null for each infinity, as ECMAScript writes an infinity in JSON."""
    if isinstance(value, list):
        return [_nulled(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("$") == "number" and str(value.get("v")).endswith("Infinity"):
        return None
    return {name: _nulled(one) for name, one in value.items()}


def _alternative(one: dict[str, Any]) -> dict[str, Any] | None:
    if "delivered" in one:
        return {name: value for name, value in one.items() if name != "handle"}
    if "event" in one:
        event = one["event"]
        if event.get("event") != "message":
            return None
        content = {name: value for name, value in one.items() if name != "event"}
        return {**content, "delivered": event.get("message", ANY)}
    if "child" in one or "started" in one:
        return None
    return one


def _is_report(one: dict[str, Any]) -> bool:
    return one.get("event", {}).get("event") in ("error", "disconnect")


def _may_die_first(steps: list[Step]) -> bool:
    """Whether the first expectation allows for the end of the child, or for a report."""
    first = next((alternatives(step) for step in steps if "expect" in step), [])
    return any(_is_report(one) or "exit" in one or "eof" in one for one in first)


def _verbatim(serialization: Serialization, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """For each line that is no JSON text, its echo by a child that does not look into lines."""
    for line in lines:
        frame = serialization.read(line)
        if frame.problem:
            text = '{"echo":' + frame.raw.decode("utf-8", "surrogateescape") + "}"
            yield {"text": text, "as": VERBATIM, "stop": True}


def _marked(step: Step, number: int, bad: list[dict[str, Any]]) -> list[Step]:
    """Steps in the place of a report, which an echo child does not make: a further message, and its echo or a replacement."""
    others = _others(step)
    if not others:
        return []
    report = next(one for one in alternatives(step) if _is_report(one))
    marker = {"marker": number}
    following = [] if all(one.get("stop") for one in others) else [{"expect": {"delivered": marker}}]
    reported = {"delivered": marker, **({"as": report["as"]} if "as" in report else {})}
    if following:
        reported["stop"] = True
    # The marker comes first: an alternative without content fits any message, the marker too.
    return [{"write": [{"message": marker}]}, {"expect": [reported, *bad, *others]}, *following]


def _joined(following: list[dict[str, Any]], unseen: Step, bad: list[dict[str, Any]]) -> list[Step]:
    """The expectation after a report, together with the replacements of the report, which an echo child does not make.

    A replacement that ends the case is a further alternative. Any other replacement may come first or not at all.
    """
    report = next(one for one in alternatives(unseen) if _is_report(one))
    named = {"as": report["as"]} if "as" in report else {}
    own = [{**named, **one} for one in following]
    awaited = [one["delivered"] for one in own if "delivered" in one]
    others = [one for one in _others(unseen) if "delivered" not in one or one["delivered"] not in awaited]
    if all(one.get("stop") for one in others):
        return [_expectation([*own, *bad, *others])]
    first = [*({**one, "stop": True} for one in own), *bad, *others]
    return [_expectation(first), _expectation(following)]
