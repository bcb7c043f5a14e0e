"""What an echo child can show of a case that was written for a driven adapter: all that is seen on the wire.

Commands, events and the use of received handles have no counterpart there. A case of which enough is left applies at rung 0, too: its id,
its rules and its outcomes stay the same.
"""

from dataclasses import replace
from functools import cache
from typing import Any

from channelkit.catalogue.cases import Case, alternatives

Step = dict[str, Any]

ANY: dict[str, Any] = {"$": "any"}
"""Stands for whatever is delivered, be it a JSON text or not."""

_SAME = (
    "make",
    "close_own",
    "close_peer",
    "barrier",
    "close_channel",
    "half_close_channel",
    "stop_subject",
    "continue_subject",
    "read_size",
    "send_buffer",
    "expect_closed",
    "write_peer",
    "read_own",
    "write",
    "allow_frame",
)
_INFINITE = ({"$": "number", "v": "Infinity"}, {"$": "number", "v": "-Infinity"})
_UNSEEN = ("allow_event",)


@cache
def as_echo(case: Case) -> Case | None:
    """The case for an echo child; None when it takes commands or its rest shows nothing."""
    if case.rung == 0 or "child" not in case.roles or case.opens or case.start:
        return None
    steps: list[Step] = []
    unseen: Step | None = None
    """The latest step that waits for a report, which nobody sees here; what comes in its place is looked for with the next one."""
    received = 0
    closed = False
    for step in case.steps:
        found = _step(step, received)
        if found is None or (closed and "expect" in step and found):
            return None  # an echo cannot be read behind the end
        received += sum("handle" in one for one in alternatives(step)[:1])
        closed = closed or "close_channel" in step
        if "expect" in step and unseen is not None and found:
            found = _joined(alternatives(found[0]), unseen)
            unseen = None
        if "expect" in step and any(_is_report(one) for one in alternatives(step)):
            unseen = step
        else:
            steps += found
    if unseen is not None and _others(unseen):
        return None
    if not any("expect" in step or "expect_closed" in step for step in steps) and not _is_probed(steps):
        return None
    return replace(case, rung=0, steps=steps, folded=steps)


def _is_probed(steps: list[Step]) -> bool:
    """Whether something is written and the barrier behind it shows that nothing came of it."""
    kinds = [next(iter(step)) for step in steps]
    return "write" in kinds and "barrier" in kinds[kinds.index("write") :]


def _step(step: Step, received: int) -> list[Step] | None:
    """What is left of a step; None when the case cannot go without the rest."""
    if "expect" in step:
        return _expect(step)
    if any(name in step for name in _SAME):
        return [step]
    if any(name in step for name in _UNSEEN):
        return []
    if step.get("do", {}).get("command") == "close" and step["do"].get("handle") == "$handle":
        message = {"closeHandle": received}
        return [{"write": [{"json": message}]}, {"expect": {"delivered": message}}]
    return None


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
    # What JSON cannot say comes back as null, as ECMAScript writes it.
    return [*found, *({**one, "delivered": None} for one in found if one.get("delivered") in _INFINITE)]


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


def _joined(following: list[dict[str, Any]], unseen: Step) -> list[Step]:
    """The expectation after a report that nobody sees, together with what may come in the place of the report.

    Where that ends the case, it is one more alternative. Where the case goes on behind it, it may come first or not at all.
    """
    report = next(one for one in alternatives(unseen) if _is_report(one))
    named = {"as": report["as"]} if "as" in report else {}
    own = [{**named, **one} for one in following]
    awaited = [one["delivered"] for one in own if "delivered" in one]
    others = [one for one in _others(unseen) if "delivered" not in one or one["delivered"] not in awaited]
    if all(one.get("stop") for one in others):
        return [_expectation([*own, *others])]
    return [_expectation([*({**one, "stop": True} for one in own), *others]), _expectation(following)]
