"""The contract of adapters, checked line by line: its schema is the contract."""

from functools import cache
from typing import Any

from channelkit.resources import schema
from channelkit.schema import Schema


def fault_of(line: Any, kind: str) -> str:
    """The fault of a line as it travels, with its tags; empty when there is none. ``kind`` is ``command``, ``reply`` or ``event``."""
    definitions = _definitions()
    fault = Schema(definitions[kind], definitions).fault(line)
    return "" if fault is None else fault.told("the line")


@cache
def _definitions() -> dict[str, Any]:
    return dict(schema("kit/contract.json")["$defs"])
