"""Limits of time as users give them."""

from __future__ import annotations

import math

import pytest

from nodechannel._io.limits import seconds


@pytest.mark.parametrize(
    ("given", "meant"), [(None, None), (math.inf, None), (0, 0.0), (1.5, 1.5), (-1, 0.0), (-math.inf, 0.0)]
)
def test_a_limit(given, meant):
    assert seconds(given) == meant


def test_a_text_is_no_limit():
    with pytest.raises(TypeError, match="a number of seconds or None, not str"):
        seconds("1")  # type: ignore[arg-type]


def test_nan_is_no_limit():
    with pytest.raises(ValueError, match="not NaN"):
        seconds(math.nan)
