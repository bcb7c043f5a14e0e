"""Equality of messages: numbers as doubles, objects regardless of key order, no recursion.

``-0`` differs from ``0`` and ``NaN`` equals itself, because a case that names them means them.
"""

import math
from typing import Any

from channelkit.wire.values import ANYTHING, UNDEFINED


def equal(expected: Any, actual: Any) -> bool:
    """Whether two untagged values are the same message."""
    return _compare(expected, actual, subset=False)


def contains(expected: Any, actual: Any) -> bool:
    """Like :func:`equal`, but an object may have members that ``expected`` does not name, at every depth."""
    return _compare(expected, actual, subset=True)


def _compare(expected: Any, actual: Any, *, subset: bool) -> bool:
    pairs = [(expected, actual)]
    while pairs:
        left, right = pairs.pop()
        if left is ANYTHING:
            continue
        if isinstance(left, dict) and isinstance(right, dict):
            if not (left.keys() <= right.keys() if subset else left.keys() == right.keys()):
                return False
            pairs.extend((member, right[key]) for key, member in left.items())
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            pairs.extend(zip(left, right, strict=True))
        elif not _same_scalar(left, right):
            return False
    return True


def _same_scalar(left: Any, right: Any) -> bool:
    if left is UNDEFINED or right is UNDEFINED or left is None or right is None:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return _same_number(_double(left), _double(right))
    return isinstance(left, str) and isinstance(right, str) and left == right


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _same_number(left: float, right: float) -> bool:
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right and math.copysign(1, left) == math.copysign(1, right)
