"""Tags for values that JSON cannot hold."""

from __future__ import annotations

import math
from typing import Any


def tag(value: object) -> object:
    """Copy a value, with tags for values that JSON cannot hold. Iterative, because a message may be deeper than the stack."""
    root: list[Any] = [None]
    todo: list[tuple[Any, Any, object]] = [(root, 0, value)]
    while todo:
        container, key, item = todo.pop()
        if isinstance(item, dict) and "$" in item:
            pairs = [[name, None] for name in item]
            container[key] = {"$": "object", "v": pairs}
            todo += [(pair, 1, item[pair[0]]) for pair in pairs]
        elif isinstance(item, dict):
            container[key] = copy = dict.fromkeys(item)
            todo += [(copy, name, member) for name, member in item.items()]
        elif isinstance(item, list):
            container[key] = [None] * len(item)
            todo += [(container[key], index, member) for index, member in enumerate(item)]
        else:
            container[key] = tag_number(item) if isinstance(item, float) else item
    return root[0]


def tag_number(value: float) -> object:
    """Return a number. NaN, both infinities and -0 get a tag, because JSON cannot write them or a reader could lose them."""
    if math.isfinite(value) and (value != 0 or math.copysign(1, value) > 0):
        return value
    names = {math.inf: "Infinity", -math.inf: "-Infinity", 0.0: "-0"}
    return {"$": "number", "v": names.get(value, "NaN")}


def untag(value: Any) -> Any:
    """Return the value behind the tags; iterative like `tag`."""
    root: list[Any] = [value]
    todo: list[tuple[Any, Any]] = [(root, 0)]
    while todo:
        container, key = todo.pop()
        container[key] = item = untag_one(container[key])
        if isinstance(item, dict):
            todo += [(item, name) for name in item]
        elif isinstance(item, list):
            todo += [(item, index) for index in range(len(item))]
    return root[0]


def untag_one(value: Any) -> Any:
    """Return the value of a tag; its members are untagged later."""
    match value.get("$") if isinstance(value, dict) else None:
        case None:
            return value
        case "number":
            return float(value["v"])
        case "object":
            return dict(value["v"])
        case other:
            raise ValueError(f"Python has no value for the tag {other!r}")
