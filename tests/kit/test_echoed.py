"""Cases for driven adapters that an echo child can run, too: handles, bad lines, duplicates, members in any order."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from channelkit.catalogue.echoed import VERBATIM, as_echo
from channelkit.catalogue.loading import shipped
from channelkit.judge.runner import Options, pairs, run
from channelkit.judge.subjects import Description, fault_of
from channelkit.limits import Limits
from mutants import kill

if TYPE_CHECKING:
    from channelkit.catalogue.cases import Case

CASES = {case.id: case for case in shipped()}
PEER = (sys.executable, "-I", "-S", str(kill.BASE), "echo")


def echoed(name: str) -> Case:
    case = as_echo(CASES[name])
    assert case is not None
    return case


def test_what_takes_no_command_is_asked_of_an_echo_child() -> None:
    found = [case for case in map(as_echo, CASES.values()) if case is not None]
    assert len(found) > 130
    assert sum(bool(case.needs) for case in found) > 60
    assert {case.rung for case in found} == {0}
    assert not any("do" in step for case in found for step in case.steps)


@pytest.mark.parametrize(
    "name", ["hnd-send-server", "lif-disconnect-twice", "boo-unknown-mode", "lif-messages-then-close"]
)
def test_what_takes_a_command_or_is_seen_behind_the_end_is_not(name: str) -> None:
    assert name not in CASES or as_echo(CASES[name]) is None


def test_a_handle_is_asked_of_those_who_declare_it() -> None:
    plain = Description("plain", "child", 0, PEER, "")
    able = Description("able", "child", 0, PEER, "", capabilities=kill.HANDLES)
    asked = {
        one.name: {case.id for case, _subject in pairs([one], list(CASES.values()))} for one in (plain, able)
    }
    assert asked["plain"] < asked["able"]
    assert "hnd-no-descriptor" in asked["able"] - asked["plain"]
    assert "cls-cmd-last" in asked["plain"]


def test_a_report_that_nobody_sees_is_no_step() -> None:
    steps = echoed("frm-blank-line").steps
    assert [next(iter(step)) for step in steps] == ["write", "expect", "barrier"]
    assert steps[1]["expect"][0] == {"delivered": {"after": 1}}
    assert steps[1]["expect"][1] == {"text": '{"echo":}', "as": VERBATIM, "stop": True}


def test_an_infinity_comes_back_as_null() -> None:
    wanted = [one.get("delivered") for one in echoed("jsn-overflow").steps[2]["expect"]]
    assert [None, None] in wanted


def test_a_close_is_told_by_the_number_of_the_handle() -> None:
    told = [
        step["write"][0]["message"]
        for step in echoed("hnd-closed-is-gone").steps
        if "write" in step and "fd" not in step
    ]
    assert [one["closeHandle"] for one in told if isinstance(one, dict)] == [1, 2, 3, 4]


def test_a_number_of_a_handle_counts_in_a_process_of_its_own() -> None:
    counted = [
        case for case in map(as_echo, CASES.values()) if case is not None and "closeHandle" in str(case.steps)
    ]
    assert len(counted) > 10
    assert not any(case.can_share for case in counted)


def test_the_marker_is_no_message_of_any_content() -> None:
    marked = next(
        step["expect"] for step in echoed("frm-bad-then-good").steps if "marker" in str(step.get("expect"))
    )
    assert marked[0] == {"delivered": {"marker": 2}}
    assert marked[-1]["as"] == "accepted"


def test_the_peer_of_the_mutants_passes_all_that_it_declares() -> None:
    subject = Description("peer", "child", 0, PEER, "", capabilities=kill.HANDLES)
    work = [(case, one) for case, one in pairs([subject], list(CASES.values())) if CASES[case.id].rung > 0]
    wrong = {
        result.case.id: result.judgement.seen.text
        for result in run(work, Options(4, Limits(3)))
        if result.judgement.verdict != "pass"
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (
            {
                "name": "a",
                "role": "child",
                "rung": 0,
                "command": ["a"],
                "capabilities": ["receive:net.Socket"],
            },
            "",
        ),
        (
            {"name": "a", "role": "child", "rung": 1, "command": ["a"], "capabilities": []},
            "belong to an echo child",
        ),
        ({"name": "a", "role": "child", "rung": 0, "command": ["a"], "capabilities": [1]}, "list of strings"),
    ],
)
def test_a_description_declares_handles(entry: object, fault: str) -> None:
    assert fault in fault_of(entry)
    assert bool(fault_of(entry)) == bool(fault)
