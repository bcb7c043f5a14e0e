"""Options that are numbers, checked before anything is opened with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_seconds(options: Mapping[str, Any], *names: str) -> None:
    """Raise `ValueError` for a pause that has no end, or none at all: a loop that waits for it would never rest."""
    for name in names:
        value = options.get(name, 1)
        if not _is_number(value) or not 0 < value < math.inf:
            raise ValueError(f"{name}={value!r} is no number of seconds above zero")


def check_counts(options: Mapping[str, Any], *names: str, optional: bool = False) -> None:
    """Raise `ValueError` for a number of things that is not at least one. None means no limit where it is `optional`."""
    for name in names:
        value = options.get(name, 1)
        if (type(value) is not int or value < 1) and not (optional and value is None):
            raise ValueError(f"{name}={value!r} is no whole number above zero")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
