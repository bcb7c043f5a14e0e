"""The messages of a cluster."""

from __future__ import annotations

import errno

import pytest

from nodechannel._cluster.messages import BACKLOG, MAX_BACKLOG, Query, error_name, listen_failed

QUESTION = {
    "address": "127.0.0.1",
    "port": 0,
    "addressType": 4,
    "index": 0,
    "flags": 0,
    "backlog": 0,
    "data": None,
}


@pytest.mark.parametrize(
    ("backlog", "used"),
    [(7, 7), (0, BACKLOG), (-1, BACKLOG), (False, BACKLOG), (None, BACKLOG), (1.5, BACKLOG), ("9", BACKLOG)]
    + [(number, MAX_BACKLOG) for number in (2**31 - 1, 2**31, 2**32, 2**63, 2**64)],
)
def test_every_backlog_can_be_listened_with(backlog, used):
    query = Query.from_wire({**QUESTION, "backlog": backlog})
    assert query is not None
    assert query.listen_backlog == used


@pytest.mark.parametrize("kind", [4, 6, "udp4", "udp6", -1])
def test_no_address_with_a_nul(kind):
    port = -1 if kind == -1 else 0
    assert Query.from_wire({**QUESTION, "address": "127.0.0.1\0x", "addressType": kind, "port": port}) is None


@pytest.mark.parametrize("member", ["index", "flags"])
@pytest.mark.parametrize("value", [None, "1", 1.5, True, [], {}, 1e308])
def test_a_number_that_is_none_counts_as_zero(member, value):
    query = Query.from_wire({**QUESTION, member: value})
    assert query is not None
    assert getattr(query, member) == 0


def test_a_question_for_another_server_at_port_0_has_a_key_of_its_own():
    keys = {Query("127.0.0.1", 0, 4, index=index).key for index in range(3)}
    assert len(keys) == 3
    assert Query("127.0.0.1", 80, 4, index=0).key == Query("127.0.0.1", 80, 4, index=1).key


@pytest.mark.parametrize(
    ("number", "name", "system"),
    [
        (-errno.EADDRINUSE, "EADDRINUSE", errno.EADDRINUSE),
        (-3008, "ENOTFOUND", None),
        (-4091, "EADDRINUSE", errno.EADDRINUSE),
        (-99999, "error -99999", None),
    ],
)
def test_names_of_errors(number, name, system):
    assert error_name(number) == name
    error = listen_failed(number, Query("::1", 80, 6))
    assert (error.name, error.errno) == (name, system)
    assert "::1:80" in str(error)
