"""The contract of adapters, checked line by line: its schema is the contract."""

from functools import cache
from typing import Any

from channelkit.resources import schema
from channelkit.schema import Schema


def fault_of(line: Any, kind: str) -> str:
    """What is wrong with a line as it travels, tags and all; ``kind`` is ``command``, ``reply`` or ``event``. Empty when nothing is."""
    definitions = _definitions()
    fault = Schema(definitions[kind], definitions).fault(line)
    return "" if fault is None else fault.told("the line")


@cache
def _definitions() -> dict[str, Any]:
    return dict(schema("kit/contract.json")["$defs"])
