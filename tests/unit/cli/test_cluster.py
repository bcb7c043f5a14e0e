"""The options of `nodechannel cluster` and `nodechannel serve`, and their reports."""

from __future__ import annotations

import argparse

import pytest

from nodechannel._cli.cluster import EVENTS, complain, report
from nodechannel._cli.main import parser
from nodechannel._cluster.events import Event


def parsers(found):
    """Yield the parser of each command."""
    yield found
    for action in found._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def test_every_option_and_command_has_help():
    found = parser()
    missing = [
        f"{one.prog} {action.dest}"
        for one in parsers(found)
        for action in one._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert missing == []
    assert [one.prog for one in parsers(found) if not one.description] == []


@pytest.mark.parametrize(
    ("words", "policy"),
    [
        (["cluster", "x.js"], "round-robin"),
        (["cluster", "x.js", "--policy", "shared"], "shared"),
        (["serve", "x:app"], "shared"),
        (["serve", "x:app", "--policy", "round-robin"], "round-robin"),
    ],
)
def test_the_policy_that_costs_no_hand_over_serves_applications(words, policy):
    assert parser().parse_args(words).policy == policy


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Event("fork", 1, 77), "worker 1 started, process 77"),
        (Event("online", 1, None), "worker 1 is online"),
        (Event("listening", 1, "*:80"), "worker 1 listens at *:80"),
        (Event("exit", 1, "SIGKILL"), "worker 1 ended with SIGKILL"),
        (Event("restart", 1, 0.25), "worker 1 will be replaced in 0.2 s"),
        (Event("error", 1, ValueError("odd \ud800")), "worker 1: odd \\ud800"),
    ],
)
def test_reports(capsys, event, text):
    report(event)
    assert capsys.readouterr().err == f"nodechannel: {text}\n"
    assert event.kind in EVENTS
    complain(event)
    assert bool(capsys.readouterr().err) == (event.kind == "error")
