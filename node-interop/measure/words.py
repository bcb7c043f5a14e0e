"""The words of the cells: the lines of a runtime, in short."""

from __future__ import annotations

from typing import Any

from measure.peer import NULL, line

ACK, NACK = {"cmd": "NODE_HANDLE_ACK"}, {"cmd": "NODE_HANDLE_NACK"}


def word(found: Any) -> str:
    """Return the word for a line that a runtime wrote."""
    if found == ACK:
        return "ACK"
    if found == NACK:
        return "NACK"
    if found == NULL:
        return "`null`"
    if isinstance(found, dict) and "not JSON" in found:
        return f"writes `{found['not JSON']}`" if found["not JSON"] else "writes a blank line"
    if isinstance(found, dict) and "got" in found:
        handle = found.get("handle")
        return f"`{found['got']}`" + (f" with {handle}" if handle else "")
    return f"`{line(found).decode().strip()}`"


def yes(value: object) -> str:
    """Return the word for a truth."""
    return "yes" if value else "no"


def words(lines: list[Any], fate: str, quiet: str = "ignored") -> str:
    """Return the word for all that was seen until a probe came back or the runtime was gone."""
    parts = [word(found) for found in lines]
    if fate != "lives":
        parts.append(fate)
    return ", ".join(parts) or quiet
