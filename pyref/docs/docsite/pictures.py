"""Exchanges of the spec as pictures: two lifelines, and an arrow for each message, drawn from the same text that the tests check."""

from __future__ import annotations

import re
from html import escape

_WIRE = re.compile(r"^```wire [\w-]+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^(?P<way>[<>]) (?P<frame>.*?)(?P<handle>\s+\+ \w+)?$")
_STEP, _LEFT, _RIGHT, _TOP = 44, 60, 640, 40


def with_pictures(text: str) -> str:
    """Return a page in which a picture stands before each exchange."""
    return _WIRE.sub(lambda found: _picture(found[1]) + found[0], text)


def _picture(exchange: str) -> str:
    arrows = [found for line in exchange.splitlines() if (found := _LINE.match(line))]
    height = _TOP + _STEP * len(arrows) + 20
    drawn = "".join(_arrow(found, _TOP + _STEP * (place + 1)) for place, found in enumerate(arrows))
    return (
        f'<figure class="exchange"><svg viewBox="0 0 700 {height}" role="img" aria-label="the exchange below" '
        f'font-family="monospace" font-size="12" fill="currentColor" stroke="none">'
        f"{_lifeline('sender', _LEFT, height)}{_lifeline('receiver', _RIGHT, height)}{drawn}</svg></figure>\n\n"
    )


def _lifeline(name: str, x: int, height: int) -> str:
    return (
        f'<text x="{x}" y="20" text-anchor="middle">{name}</text>'
        f'<line x1="{x}" x2="{x}" y1="30" y2="{height - 10}" stroke="currentColor"/>'
    )


def _arrow(found: re.Match[str], y: int) -> str:
    start, end, tip = (_LEFT, _RIGHT, -8) if found["way"] == ">" else (_RIGHT, _LEFT, 8)
    label = _short(found["frame"], 58) + " + descriptor" if found["handle"] else _short(found["frame"], 72)
    return (
        f'<text x="{(_LEFT + _RIGHT) // 2}" y="{y - 8}" text-anchor="middle">{escape(label)}</text>'
        f'<line x1="{start}" x2="{end}" y1="{y}" y2="{y}" stroke="currentColor"/>'
        f'<path d="M{end} {y} l{tip} -4 v8 z"/>'
    )


def _short(frame: str, most: int) -> str:
    return frame if len(frame) <= most else f"{frame[: most - 2]} …"
