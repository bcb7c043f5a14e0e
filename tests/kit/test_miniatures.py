"""The kit judges subjects. Here small subjects that lie in known ways judge the kit."""

from __future__ import annotations

import dataclasses

import pytest

from support.kit import CASES, judge


def test_right_passes_in_every_variant() -> None:
    result = judge("right", "sample-echo")
    assert result.judgement.verdict == "pass"
    assert [seen.variant for seen in result.variants] == ["whole", "bytes", "lines", "utf8", "glued"]
    assert result.variants[-1].ending == "clean"


@pytest.mark.parametrize(
    ("name", "outcome", "ending"),
    [
        ("wrong_echo", "unexpected", "clean"),
        ("silent", "silent", "clean"),
        ("crashing", "died", "died"),
        ("exits_early", "closed", "closed"),
        ("sends_stray_descriptor", "unexpected", "clean"),
    ],
)
def test_liars_fail_each_in_its_own_way(name: str, outcome: str, ending: str) -> None:
    result = judge(name, "sample-echo", scale=0.3)
    assert (result.judgement.verdict, result.judgement.seen.outcome, result.judgement.seen.ending) == (
        "fail",
        outcome,
        ending,
    )


def test_what_depends_on_read_boundaries_passes_whole_and_fails_cut() -> None:
    case = dataclasses.replace(CASES["sample-echo"], steps=_one_line())
    result = judge("glued_reader", case, scale=0.3)
    by_name = {seen.variant: seen.outcome for seen in result.variants}
    assert by_name["whole"] == "ok"
    assert by_name["bytes"] != "ok"
    assert by_name["glued"] != "ok"
    assert result.judgement.verdict == "fail"


def _one_line() -> list[dict[str, object]]:
    return [{"write": [{"message": {"a": "é"}}]}, {"expect": {"delivered": {"a": "é"}}}]


def test_stray_descriptors_are_counted_and_closed() -> None:
    assert judge("sends_stray_descriptor", "sample-echo", scale=0.3).strays > 0


def test_a_descriptor_after_the_last_step_fails_a_case() -> None:
    result = judge("late_descriptor", dataclasses.replace(CASES["sample-echo"], segment="none"), scale=0.3)
    assert (result.judgement.verdict, result.judgement.seen.outcome) == ("fail", "unexpected")
    assert "1 descriptors came that no step expected" in result.judgement.seen.text


def test_a_subject_that_does_not_end_is_killed_with_its_children() -> None:
    result = judge("hangs_at_end", "sample-echo", scale=0.3)
    assert (result.judgement.verdict, result.judgement.seen.outcome) == ("fail", "ok")
    assert result.judgement.seen.signature(CASES["sample-echo"]) == "ok/hung"


def test_a_death_can_be_lenient() -> None:
    result = judge("dies_on_blank_line", "sample-blank")
    assert (result.judgement.verdict, result.judgement.flag) == ("lenient", "DiesOnBadInput")
    assert result.judgement.seen.ending == "died"
    assert "JSONDecodeError" in result.stderr


def test_a_program_that_is_not_there_is_no_fault_of_a_subject() -> None:
    result = judge("absent", "sample-echo", rung=1)
    assert result.judgement.verdict == "inconclusive"


# ---- driven --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["sample-echo", "sample-handle", "sample-refused"])
def test_the_driven_miniature_passes(case: str) -> None:
    result = judge("driven", case, rung=2)
    assert result.judgement.verdict == "pass", result.judgement.seen.text


def test_a_descriptor_rides_on_every_byte() -> None:
    names = [seen.variant for seen in judge("driven", "sample-handle", rung=2).variants]
    assert names == ["whole", "bytes", "glued", "fd-first", "fd-middle", "fd-last"]


@pytest.mark.parametrize(
    ("lie", "case", "verdict", "outcome"),
    [
        ("never-acks", "sample-handle", "fail", "silent"),
        ("wrong-bytes", "sample-handle", "fail", "unreached"),
        ("no-handles", "sample-handle", "unsupported", "unsupported"),
        ("knows-everything", "sample-echo", "inconclusive", "inconclusive"),
        ("garbage", "sample-echo", "inconclusive", "inconclusive"),
    ],
)
def test_driven_liars(lie: str, case: str, verdict: str, outcome: str) -> None:
    result = judge("driven", case, lie, rung=2, scale=0.3)
    assert (result.judgement.verdict, result.judgement.seen.outcome) == (verdict, outcome)


def test_a_clean_end_of_an_adapter_takes_its_disconnect() -> None:
    result = judge("driven", "sample-echo", "never-disconnects", rung=2, scale=0.3)
    assert (result.judgement.verdict, result.judgement.seen.outcome, result.judgement.seen.ending) == (
        "fail",
        "ok",
        "hung",
    )
