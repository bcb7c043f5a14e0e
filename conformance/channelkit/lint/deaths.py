"""Which runtimes die of a violation, as far as that was measured."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from channelkit.errors import UsageError
from channelkit.resources import find

_FATAL = ("exit 1", "SIGABRT")
_LOST = ("ends the channel", "silent", "nothing more")
_NODE = "Node "


@dataclass(frozen=True, slots=True)
class Deaths:
    """The measured effects of a violation."""

    violation: str
    dead: str
    """Runtimes that end."""
    cut: str
    """Runtimes that go on without the channel."""

    def __str__(self) -> str:
        parts = [f"{self.dead} die" if self.dead else "", f"{self.cut} lose the channel" if self.cut else ""]
        return f"{self.violation}: {', '.join(filter(None, parts))}"


@cache
def deaths() -> dict[str, tuple[Deaths, ...]]:
    """Rule to the measured effects of its violations; rules that kill no runtime are absent."""
    measured = {row["id"]: row["cells"] for row in _read("measured.json").get("rows", ())}
    found: dict[str, tuple[Deaths, ...]] = {}
    for entry in _read("violations.json"):
        cells = measured.get(entry["measured"], {})
        one = Deaths(entry["violation"], _having(cells, _FATAL), _having(cells, _LOST, without=_FATAL))
        if one.dead or one.cut:
            for rule in entry["sender"]:
                found[rule] = (*found.get(rule, ()), one)
    return found


def _read(name: str) -> Any:
    try:
        return json.loads(find(name).read_text("utf-8"))
    except UsageError:
        return {}


def _having(cells: dict[str, str], words: tuple[str, ...], without: tuple[str, ...] = ()) -> str:
    """The runtimes whose cell holds one of the words, with runs of majors of Node joined."""
    names = [
        name
        for name, cell in cells.items()
        if any(word in cell for word in words) and not any(word in cell for word in without)
    ]
    majors = [int(name.removeprefix(_NODE)) for name in names if name.startswith(_NODE)]
    runs: list[list[int]] = []
    for major in sorted(majors):
        if runs and runs[-1][-1] == major - 1:
            runs[-1].append(major)
        else:
            runs.append([major])
    shown = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    node = [f"Node {', '.join(shown)}"] if shown else []
    return ", ".join([*node, *(name for name in names if not name.startswith(_NODE))])
