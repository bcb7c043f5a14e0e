"""The tables of a cluster."""

from __future__ import annotations

from nodechannel._cluster.state import LEAVE, SERVER, Leave, LeaveInput, Server, ServerInput


def reachable(table, start):
    found = {start}
    while more := {to for (state, _), to in table.items() if state in found} - found:
        found |= more
    return found


def test_every_state_can_be_reached():
    assert reachable(SERVER, Server.ASKED) == set(Server)
    assert reachable(LEAVE, Leave.STAYING) == set(Leave)


def test_every_input_is_used():
    assert {given for _, given in SERVER} == set(ServerInput)
    assert {given for _, given in LEAVE} == set(LeaveInput)


def test_the_end_is_the_end():
    ends = {Server.FAILED, Server.CLOSED, Leave.RELEASED}
    assert not ends & {state for state, _ in (*SERVER, *LEAVE)}
