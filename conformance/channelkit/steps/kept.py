"""Values that only a run knows: a case keeps parts of frames and ports of sockets, and later steps name them as ``"@NAME@"``."""

from typing import Any


def fill_value(kept: dict[str, Any], value: Any) -> Any:
    """A value of a case, with the kept values in the places of their names."""
    if isinstance(value, dict):
        return {key: fill_value(kept, member) for key, member in value.items()}
    if isinstance(value, list):
        return [fill_value(kept, member) for member in value]
    if isinstance(value, str) and len(value) > 2 and value[0] == value[-1] == "@":
        return kept.get(value[1:-1], value)
    return value


def names_in(value: Any) -> set[str]:
    """The names of all values that ``"@NAME@"`` stands for in a value."""
    if isinstance(value, dict):
        return names_in(list(value.values()))
    if isinstance(value, list):
        return {name for one in value for name in names_in(one)}
    is_name = isinstance(value, str) and len(value) > 2 and value[0] == value[-1] == "@"
    return {value[1:-1]} if is_name else set()


def member(value: Any, path: str) -> Any:
    """The member of a frame at a path such as ``sockname.port``, None when there is none; ``.`` is the whole frame."""
    if path == ".":
        return value
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def has_member(value: Any, path: str) -> bool:
    """Whether a frame has a member at a path, be it null."""
    for name in () if path == "." else path.split("."):
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
