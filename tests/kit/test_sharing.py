"""Cases that leave the channel as they found it share a process, and no case fails for the fault of its neighbour."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any

from channelkit.judge import runner
from channelkit.judge.execute import Together, execute_together
from channelkit.judge.runner import TOGETHER, Options, arrange, run
from channelkit.judge.subjects import Description
from channelkit.limits import Limits
from support.kit import CASES, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from channelkit.catalogue.cases import Case

ECHO = CASES["sample-echo"]
OTHER = dataclasses.replace(ECHO, id="sample-other")
OPTIONS = Options(2, Limits(0.3))


def subject(name: str) -> Description:
    return Description(name, "child", 0, command(name), f"--child {name}")


def test_who_may_share() -> None:
    assert ECHO.can_share
    assert not CASES["sample-blank"].can_share  # it may end the subject
    assert not dataclasses.replace(ECHO, fresh=True).can_share
    unfinished = [{"write": ["1"]}]
    assert not dataclasses.replace(ECHO, steps=unfinished).can_share


def test_a_right_subject_runs_them_in_one_process() -> None:
    results = execute_together([ECHO, OTHER], subject("right"), Limits(), threading.Event()).results
    assert [result.judgement.verdict for result in results] == ["pass", "pass"]
    assert all(seen.ending == "clean" for result in results for seen in result.variants)


def test_nothing_is_concluded_from_a_shared_process_in_which_anything_went_wrong() -> None:
    for name in ("wrong_echo", "hangs_at_end", "crashing"):
        assert not execute_together([ECHO, OTHER], subject(name), Limits(0.3), threading.Event()).results


def test_then_each_runs_alone() -> None:
    found = {
        result.case.id: result.judgement
        for result in run([(ECHO, subject("wrong_echo")), (OTHER, subject("wrong_echo"))], OPTIONS)
    }
    assert {name: one.seen.outcome for name, one in found.items()} == {
        "sample-echo": "unexpected",
        "sample-other": "unexpected",
    }


def test_one_that_is_not_right_costs_the_others_nothing() -> None:
    wrong = dataclasses.replace(
        ECHO, id="sample-wrong", steps=[{"write": ["1\n"]}, {"expect": {"frame": {"echo": 2}}}]
    )
    right = subject("right")
    results = {one.case.id: one for one in run([(case, right) for case in (ECHO, wrong, OTHER)], OPTIONS)}
    assert {name: one.judgement.verdict for name, one in results.items()} == {
        "sample-echo": "pass",
        "sample-wrong": "fail",
        "sample-other": "pass",
    }
    shared = [name for name, one in results.items() if "shared with other cases" in str(one.transcript)]
    assert sorted(shared) == ["sample-echo", "sample-other"]


def test_what_an_adapter_lacks_ends_nothing() -> None:
    lame = Description("lame", "child", 2, command("driven", "no-handles"), "--child lame")
    for order in (["sample-handle", "sample-echo"], ["sample-echo", "sample-handle"]):
        results = execute_together([CASES[name] for name in order], lame, Limits(), threading.Event()).results
        assert {one.case.id: one.judgement.verdict for one in results} == {
            "sample-echo": "pass",
            "sample-handle": "unsupported",
        }


def test_one_that_did_not_pass_alone_does_not_share_with_the_next_subject(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[tuple[str, list[str]]] = []

    def noting(cases: Sequence[Case], subject: Description, *more: Any) -> Together:
        tried.append((subject.name, [case.id for case in cases]))
        return execute_together(cases, subject, *more)

    monkeypatch.setattr(runner, "execute_together", noting)
    third = dataclasses.replace(ECHO, id="sample-third")
    names = ("right", "wrong_echo", "right", "right")
    subjects = [
        dataclasses.replace(subject(name), name=f"{number} {name}") for number, name in enumerate(names)
    ]
    work = [(case, one) for one in subjects for case in (ECHO, OTHER, third)]
    # A right subject of a busy machine has the time that it needs.
    results = list(run(work, Options(1, Limits(1))))
    everything = ["sample-echo", "sample-other", "sample-third"]
    assert tried == [
        ("0 right", everything),
        ("1 wrong_echo", everything),
        ("1 wrong_echo", everything[1:]),
        ("3 right", everything),
    ]
    assert sorted((one.subject, one.case.id) for one in results) == sorted(
        (one.name, case.id) for case, one in work
    )


def test_arranging_loses_nothing() -> None:
    cases = [dataclasses.replace(ECHO, id=f"sample-{number}") for number in range(TOGETHER * 2 + 1)]
    pairs = [
        (case, one)
        for one in (subject("right"), subject("silent"))
        for case in [*cases, CASES["sample-blank"]]
    ]
    arranged = [batch for part in arrange(pairs, OPTIONS) for batch in part]
    assert sorted((case.id, work.subject.name) for work in arranged for case in work.cases) == sorted(
        (case.id, one.name) for case, one in pairs
    )
    assert max(len(work.cases) for work in arranged) == TOGETHER
    assert all(len(work.cases) == 1 for work in arrange(pairs, dataclasses.replace(OPTIONS, isolate=True))[0])
