"""Options that are numbers, checked before anything is opened with them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from nodechannel import nodeipc, redis
from nodechannel._carriers.options import check_counts, check_seconds


@pytest.mark.parametrize("value", [1, 0.05, 10**9])
def test_seconds_that_are_some(value):
    check_seconds({"retry": value}, "retry", "absent")


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan, None, True, "1"])
def test_seconds_that_are_none(value):
    with pytest.raises(ValueError, match="retry="):
        check_seconds({"retry": value}, "retry")


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "1"])
def test_a_count_that_is_none(value):
    for optional in (True, False):
        with pytest.raises(ValueError, match="most="):
            check_counts({"most": value}, "most", optional=optional)


def test_no_limit_where_it_may_be():
    check_counts({"most": None}, "most", optional=True)
    check_counts({"most": 1}, "most")
    with pytest.raises(ValueError, match="most=None"):
        check_counts({"most": None}, "most")


def test_other_options_that_are_no_number_above_zero_are_refused(url, tmp_path):
    uses: list[tuple[str, Any]] = [
        ("alive", lambda: redis.queue(url, "refused", alive=0)),
        ("alive", lambda: redis.queue(url, "refused", alive=math.inf)),
        ("retry", lambda: redis.channels(url, "refused", retry=-1)),
        ("retry", lambda: nodeipc.connect(path=str(tmp_path / "s"), retry=0)),
        ("max_peers", lambda: nodeipc.serve_udp(port=0, max_peers=0)),
    ]
    for name, use in uses:
        with pytest.raises(ValueError, match=name):
            use()
