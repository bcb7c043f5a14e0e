"""Paths as errors show them."""

from __future__ import annotations

import pytest

from nodechannel._json.paths import path_of


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ([], "$"),
        (["users", 3, "id"], "$.users[3].id"),
        (["$a", "_b", "c1"], "$.$a._b.c1"),
        (["a b"], '$["a b"]'),
        (["1a"], '$["1a"]'),
        ([""], '$[""]'),
        (['"'], '$["\\""]'),
        (["é"], '$["\\u00e9"]'),
        (["\ud800\n"], '$["\\ud800\\n"]'),
        (["x" * 40], "$." + "x" * 40),
        (["x" * 41], '$["' + "x" * 37 + '..."]'),
    ],
)
def test_a_path(keys, text):
    assert path_of(keys) == text


def test_the_middle_of_a_long_path_is_left_out():
    assert path_of(list(range(20))) == "$" + "".join(f"[{n}]" for n in range(20))
    assert path_of(list(range(1000))) == (
        "$" + "".join(f"[{n}]" for n in range(10)) + "..." + "".join(f"[{n}]" for n in range(990, 1000))
    )
