"""Limits of time that users give, with one meaning in both front ends."""

from __future__ import annotations

import math


def seconds(timeout: float | None) -> float | None:
    """Return a limit in seconds, None for none: infinity is no limit, and a number below zero is zero. Raises `ValueError` for NaN."""
    if timeout is None or timeout == math.inf:
        return None
    if timeout != timeout:
        raise ValueError("a timeout is a number of seconds or None, not NaN")
    return max(0.0, timeout)
