"""A recording as a trace that https://ui.perfetto.dev reads: a track for each side, a slice for each answered message."""

import json
from collections.abc import Iterable

from channelkit.look.messages import Message
from channelkit.tap.record import DOWN

_SIDES = {DOWN: (1, "parent → child"), "up": (2, "child → parent")}


def trace(messages: Iterable[Message]) -> str:
    """The text of the trace, in the JSON format of trace events."""
    events: list[dict[str, object]] = [
        {"ph": "M", "pid": 1, "tid": number, "name": "thread_name", "args": {"name": name}}
        for number, name in _SIDES.values()
    ]
    by_number: dict[int, Message] = {}
    for message in messages:
        by_number[message.number] = message
        events.append(_event(message))
        asked = by_number.get(message.answers)
        if asked is not None:
            events.append(
                {**_place(asked), "ph": "X", "name": f"{asked.command} answered", "dur": message.latency}
            )
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"})


def _place(message: Message) -> dict[str, object]:
    return {"pid": 1, "tid": _SIDES.get(message.way, (1, ""))[0], "ts": message.time}


def _event(message: Message) -> dict[str, object]:
    arguments: dict[str, object] = {"text": message.text, "bytes": message.size}
    if message.descriptors:
        arguments["descriptors"] = list(message.descriptors)
    if message.violations:
        arguments["rules"] = [found.rule for found in message.violations]
    name = message.command or message.kind
    return {**_place(message), "ph": "i", "s": "t", "name": name, "cat": message.kind, "args": arguments}
