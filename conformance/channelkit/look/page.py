"""A self-contained page of a recording: two lifelines, and an arrow for each message."""

import html
import json
from collections.abc import Sequence
from typing import Any

from channelkit.lint.deaths import deaths
from channelkit.look.messages import Message
from channelkit.resources import PACKAGE, rules

_BUDGET = 24 << 20
"""About so many bytes of messages are on the page in full; of each message at least the first bytes are there."""
_LEAST, _MOST = 80, 4096
"""Bytes of a message that the page holds at least and at most."""


def page(header: dict[str, Any], messages: Sequence[Message], others: Sequence[Any]) -> str:
    """The text of the page."""
    each = max(_LEAST, min(_MOST, _BUDGET // (len(messages) or 1)))
    broken = {found.rule for message in messages for found in message.violations} | {
        found.rule for found in others
    }
    data = {
        "messages": [_row(message, each) for message in messages],
        "sentences": {rule: rules().get(rule, "") for rule in broken},
        "deaths": {rule: [str(one) for one in deaths().get(rule, ())] for rule in broken},
    }
    title = " ".join(map(str, header.get("command", ())))
    faults = "".join(
        f"<li>{html.escape(f'{one.rule} {one.level}, {one.who}: {one.text}')}</li>" for one in others
    )
    return _PAGE.format(
        title=html.escape(title),
        about=html.escape(_about(header)),
        others=f"<ul>{faults}</ul>" if faults else "",
        style=(PACKAGE / "look" / "page.css").read_text("utf-8"),
        script=(PACKAGE / "look" / "page.js").read_text("utf-8"),
        # No text of a message can end the element.
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    )


def _row(message: Message, each: int) -> list[Any]:
    return [
        message.number,
        message.time,
        message.way,
        message.kind,
        message.text,
        message.command,
        message.size,
        message.descriptors,
        message.answers,
        message.latency,
        [[found.rule, found.level, found.who, found.text] for found in message.violations],
        message.raw[:each].hex(),
    ]


def _about(header: dict[str, Any]) -> str:
    parts = [
        f"process {header.get('pid')} of {header.get('parent') or 'process'} {header.get('ppid')}",
        f"mode {header.get('mode') or 'json, by default'}",
        f"since {header.get('started')}",
    ]
    if "worker" in header:
        parts.append(f"worker {header['worker']} of a cluster")
    if header.get("redacted"):
        parts.append("contents are redacted")
    return ", ".join(parts)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
{style}</style></head><body>
<header><h1>{title}</h1>{about}{others}</header>
<nav><form id="filter">
<input type="search" name="text" placeholder="text" aria-label="text">
<select name="command" aria-label="command"><option value="">every command</option></select>
<select name="way" aria-label="way"><option value="">both ways</option>
<option value="down">parent → child</option><option value="up">child → parent</option></select>
<select name="rule" aria-label="rule"><option value="">every rule</option><option value="*">any broken rule</option></select>
</form><output id="count"></output></nav>
<main id="scroll" tabindex="0"><div id="ends"><span>parent</span><span>child</span></div>
<div id="rows"></div></main><aside id="detail"><p>Choose a message.</p></aside>
<script type="application/json" id="data">{data}</script>
<script>
{script}</script></body></html>
"""
