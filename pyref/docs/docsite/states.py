"""Tables of states as pictures: a box for each state, and an arrow for each move, drawn from the same text that `spec/build.py` writes."""

from __future__ import annotations

import re
from html import escape

_DIAGRAM = re.compile(r"^```mermaid\nstateDiagram-v2\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MOVE = re.compile(r"^\s*(\w+) --> (\w+): (.*)$", re.MULTILINE)
_BOX, _WIDTH, _GAP = 34, 150, 84
_LEFT, _LANE, _TOP, _MARGIN = 240, 56, 16, 260


def with_states(text: str) -> str:
    """Return a page in which a picture stands in the place of each diagram of states."""
    return _DIAGRAM.sub(lambda found: _picture(_MOVE.findall(found[1])), text)


def _picture(moves: list[tuple[str, str, str]]) -> str:
    places = {
        state: place for place, state in enumerate(dict.fromkeys(name for move in moves for name in move[:2]))
    }
    # Lines first, so that each text stands on top of them; short moves first, so that long lines run outside of them.
    lines, texts = [], [_box(state, _y(place)) for state, place in places.items()]
    lanes = {"up": 0, "down": 0}
    for start, end, label in sorted(moves, key=lambda move: abs(places[move[0]] - places[move[1]])):
        steps = places[end] - places[start]
        way = "up" if steps < 0 else "down"
        lane = 0
        if steps not in (0, 1):
            lanes[way] += 1
            lane = lanes[way]
        line, text = _move(_y(places[start]), _y(places[end]), lane, label)
        lines.append(line)
        texts.append(text)
    width = _LEFT + _WIDTH + _MARGIN + lanes["down"] * _LANE
    height = _y(len(places) - 1) + _BOX + _TOP
    return (
        f'<figure class="states"><svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(_told(moves))}" '
        f'font-family="monospace" font-size="12" fill="currentColor">{"".join(lines)}{"".join(texts)}</svg></figure>\n'
    )


def _told(moves: list[tuple[str, str, str]]) -> str:
    """The picture in words, for a reader who does not see it."""
    return "; ".join(f"{start} to {end} by {label}" for start, end, label in moves)


def _y(place: int) -> int:
    """Return the upper edge of a box."""
    return _TOP + place * (_BOX + _GAP)


def _box(state: str, y: int) -> str:
    return (
        f'<rect x="{_LEFT}" y="{y}" width="{_WIDTH}" height="{_BOX}" rx="6" fill="none" stroke="currentColor"/>'
        f'<text x="{_LEFT + _WIDTH // 2}" y="{y + 21}" text-anchor="middle" font-weight="bold">{state}</text>'
    )


def _move(start: int, end: int, lane: int, label: str) -> tuple[str, str]:
    """Return the line of a move and its text: within a state, to the next state, or in a lane beside the states."""
    right, middle = _LEFT + _WIDTH, _LEFT + _WIDTH // 2
    if start == end:
        path = f"M{_LEFT} {start + 8} h-22 v18 h22"
        return _line(path, _LEFT, start + 26, 1), _text(_LEFT - 28, start + 21, label, "end")
    if not lane:
        return (
            _line(f"M{middle} {start + _BOX} V{end}", middle, end, 0),
            _text(middle + 8, (start + _BOX + end) // 2 + 4, label, "start"),
        )
    if end > start:
        x = right + lane * _LANE
        path = f"M{right} {start + _BOX - 4} H{x} V{end + 6 + 6 * lane} H{right}"
        return _line(path, right, end + 6 + 6 * lane, -1), _text(
            x + 6, (start + end + _BOX) // 2 + 8 * lane, label, "start"
        )
    x = _LEFT - lane * _LANE
    path = f"M{_LEFT} {start + 6 + 6 * lane} H{x} V{end + 6 + 6 * lane} H{_LEFT}"
    return _line(path, _LEFT, end + 6 + 6 * lane, 1), _text(
        x - 6, (start + end + _BOX) // 2 + 14 * lane, label, "end"
    )


def _line(path: str, x: int, y: int, way: int) -> str:
    """Return a path with its tip at a point: to the right (1), to the left (-1), or downwards (0)."""
    tip = f"M{x} {y} l{-8 * way} -4 v8 z" if way else f"M{x} {y} l-4 -8 h8 z"
    return f'<path d="{path}" fill="none" stroke="currentColor"/><path d="{tip}"/>'


def _text(x: int, y: int, label: str, anchor: str) -> str:
    return f'<text class="on-lines" x="{x}" y="{y}" text-anchor="{anchor}">{escape(label)}</text>'
