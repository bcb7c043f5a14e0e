"""Cases as they run: each row of ``each`` becomes a case, and the steps of fragments stand in their places."""

from collections.abc import Iterator
from typing import Any

from channelkit.catalogue.members import MEMBERS
from channelkit.steps.folded import require_names, with_fragments
from channelkit.steps.kept import fill_value

Entry = dict[str, Any]


def entries(content: dict[str, Any]) -> Iterator[Entry]:
    """Every case of a file. Raises :class:`~channelkit.errors.UsageError` for an unknown fragment or value."""
    for entry in content["cases"]:
        yield from expanded(entry, content)


def expanded(entry: Entry, content: dict[str, Any]) -> Iterator[Entry]:
    """The cases of an entry of a file. Raises :class:`~channelkit.errors.UsageError` like :func:`entries`."""
    fragments = content.get("fragments", {})
    for row in entry.get("each", ({},)):
        members = {name: value for name, value in row.items() if name in MEMBERS}
        values = {name: value for name, value in row.items() if name not in MEMBERS}
        case = {**entry, **members}
        case.pop("each", None)
        steps = list(with_fragments(case["steps"], fragments))
        require_names(values, steps, "the case")
        yield {**case, "steps": fill_value(values, steps) if values else steps}
