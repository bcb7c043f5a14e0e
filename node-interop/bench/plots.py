"""Bars in SVG, without a library: a row for each pair."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from bench.plan import BASE
from bench.tables import TITLES, UNITS, number, title

if TYPE_CHECKING:
    from bench.plan import Scenario
    from bench.results import Measured

ROW, LABEL, BAR, VALUE = 22, 300, 380, 110
STYLE = """text{font:13px sans-serif;fill:#24292f}.title{font-weight:bold}.python{fill:#3572a5}.base{fill:#d29922}.other{fill:#8c959f}
@media(prefers-color-scheme:dark){text{fill:#d0d7de}}"""


def bars(scenario: Scenario, measured: Measured) -> str:
    """Return a picture of the rates; a bar that is longer than twelve times Node↔Node's is cut and ends in an arrow."""
    rates = {name: row.rate for name, row in measured.pairs.items()}
    longest = min(max(rates.values()), 12 * rates.get(BASE, max(rates.values())))
    height = ROW * (len(rates) + 2)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + BAR + VALUE}" height="{height}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="0" y="16">{escape(title(scenario))}: {UNITS.get(scenario.kind, "handles/s")}</text>',
    ]
    for place, (name, rate) in enumerate(rates.items(), 1):
        top = ROW * place + 8
        width = max(1.0, BAR * min(rate, longest) / longest)
        cut = " →" if rate > longest else ""
        lines += [
            f'<text x="{LABEL - 8}" y="{top + 13}" text-anchor="end">{escape(TITLES[name].replace("`", ""))}</text>',
            f'<rect class="{_colour(name)}" x="{LABEL}" y="{top}" width="{width:.1f}" height="{ROW - 6}"/>',
            f'<text x="{LABEL + width + 6:.1f}" y="{top + 13}">{number(rate)}{cut}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def _colour(name: str) -> str:
    if name == BASE:
        return "base"
    return "python" if set(name.removesuffix("+many").split("-")) & {"py", "aio", "uv"} else "other"
