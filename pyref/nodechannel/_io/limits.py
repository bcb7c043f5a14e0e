"""Limits of time that users give, with the same meaning in both front ends."""

from __future__ import annotations

import math


def seconds(timeout: float | None) -> float | None:
    """Return a limit in seconds, None for none: infinity is no limit, and a number below zero is zero.

    Raises `ValueError` for NaN, and `TypeError` for an object that is no number.
    """
    if timeout is None or timeout == math.inf:
        return None
    if timeout != timeout:
        raise ValueError("a timeout is a number of seconds or None, not NaN")
    try:
        return max(0.0, timeout)
    except TypeError:
        raise TypeError(f"a timeout is a number of seconds or None, not {type(timeout).__name__}") from None
