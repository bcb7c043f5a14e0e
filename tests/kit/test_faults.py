"""Steps that make life hard for a subject, each with a subject that bears it and a subject that fails."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from channelkit.catalogue.cases import Case
from channelkit.process.table import Table
from channelkit.steps.writes import cut, encode
from channelkit.wire.modes import JSON_LINES
from support.kit import judge

if TYPE_CHECKING:
    from channelkit.judge.execute import CaseResult
    from channelkit.wire.segments import Cut

needs_table = pytest.mark.skipif(
    not Table(os.getpid()).available, reason="the descriptors of another process are visible on Linux only"
)


def case(*steps: dict[str, Any]) -> Case:
    return Case("fuzz-sample", "", ("FRM-001",), "MUST", ("child",), 0, list(steps), {"ok": "conform"})


def run(name: str, *steps: dict[str, Any], words: tuple[str, ...] = ()) -> CaseResult:
    return judge(name, case(*steps), *words)


def pieces(step: dict[str, Any]) -> Cut:
    return cut(JSON_LINES, step, encode(JSON_LINES, step["write"]), "whole")


Steps = list[dict[str, Any]]

ECHO = {"expect": {"delivered": "abc"}}


def test_a_write_is_cut_where_the_case_says() -> None:
    step = {"write": ['"abc"\n'], "cut": [2, 5]}
    result = run("right", step, ECHO)
    assert result.judgement.verdict == "pass"
    assert case(step).variants == ["whole"]
    assert [piece.data for piece in pieces(step)] == [b'"a', b'bc"', b"\n"]


@pytest.mark.parametrize(("at", "expected"), [(0, [True]), (3, [False, True]), (None, [False, True])])
def test_descriptors_ride_where_the_case_says(at: int | None, expected: list[bool]) -> None:
    step: dict[str, Any] = {"write": ["1\n2", "2\n"], "fd": ["s", "t"]}
    step["at" if at is not None else "cut"] = at if at is not None else []
    assert [piece.descriptor for piece in pieces(step)] == expected
    assert b"".join(piece.data for piece in pieces(step)) == b"1\n22\n"


def test_a_long_message_passes_small_buffers_and_a_slow_reader() -> None:
    text = "x" * 20_000
    steps: Steps = [
        {"send_buffer": 2304},
        {"read_size": 777},
        {"write": [{"message": text}]},
        {"expect": {"delivered": text}},
    ]
    assert run("right", *steps, {"barrier": True}).judgement.verdict == "pass"


@needs_table
def test_a_full_table_takes_no_descriptor_until_it_is_free() -> None:
    steps: Steps = [
        {"write": [{"message": "abc"}]},
        ECHO,
        {"descriptors": "count"},
        {"descriptors": "full"},
        {"make": "tcp-client", "name": "s"},
        {"write": ['"abc"\n'], "fd": "s"},
        ECHO,
        {"expect_descriptors": "same"},
        {"descriptors": "free"},
    ]
    assert run("keeps_descriptors", *steps).judgement.verdict == "pass"


@needs_table
def test_a_kept_descriptor_is_noticed() -> None:
    steps: Steps = [
        {"write": [{"message": "abc"}]},
        ECHO,
        {"descriptors": "count"},
        {"make": "tcp-client", "name": "s"},
        {"write": ['"abc"\n'], "fd": "s"},
        ECHO,
        {"expect_descriptors": "same"},
    ]
    result = judge("keeps_descriptors", case(*steps), scale=0.2)
    assert (result.judgement.verdict, result.judgement.seen.outcome) == ("fail", "leaked")
    assert "1 descriptors more: " in result.judgement.seen.text
    assert run("right", *steps).judgement.verdict == "pass"
