"""Pauses between tries to connect."""

from __future__ import annotations

from itertools import islice

import pytest

from nodechannel._carriers.backoff import pauses


@pytest.mark.rule("NIP-051")
def test_each_pause_is_twice_as_long_up_to_a_limit():
    found = list(islice(pauses(1, 10, None), 50))
    expected = [1, 2, 4, 8, *[10] * 46]
    assert all(0.75 * most <= pause <= most for pause, most in zip(found, expected, strict=True))
    assert len(set(found)) > 40


def test_the_tries_are_counted():
    assert len(list(pauses(1, 10, 3))) == 3
    assert list(pauses(1, 10, 0)) == []
