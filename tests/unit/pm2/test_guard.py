"""A channel that refuses what ends PM2's daemon. The real daemon is in `tests/packages/test_pm2.py`."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

import nodechannel
from nodechannel._pm2 import guard as guarding
from nodechannel._pm2.guard import DEEPEST, check, guard
from nodechannel._pm2.messages import UnsafeForPM2
from nodechannel.errors import InvalidMessage


def nested(depth: int, around: str = "[]") -> bytes:
    return around[0].encode() * depth + around[1].encode() * depth


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with nodechannel.Channel(ours, default=lambda _: None) as app, nodechannel.Channel(theirs) as daemon:
        guard(app)
        yield app, daemon


def test_each_way_to_send_null_is_refused(pair):
    app, daemon = pair
    given, kept = socket.socketpair()
    with given, kept:
        ways: list[Any] = [
            lambda: app.send(None),
            lambda: app.send(float("nan")),
            lambda: app.send(object()),
            lambda: app.send_many([1, None]),
            lambda: app.send_json(" null "),
            lambda: app.send_json(b"null", trusted=True),
            lambda: app.send(None, given),
        ]
        for way in ways:
            with pytest.raises(UnsafeForPM2, match="null ends the daemon"):
                way()
    with pytest.raises(InvalidMessage, match="not JSON"):
        app.send_json(b"{", trusted=True)
    app.send_many(["next", [None], {"a": None}])
    assert [daemon.receive(20).data for _ in range(3)] == ["next", [None], {"a": None}]


def test_a_message_that_is_too_deep_is_refused_and_brackets_in_texts_do_not_count():
    check(nested(DEEPEST))
    check(json.dumps(["[" * 5 * DEEPEST, {'\\"[{': "{" * DEEPEST}]).encode())
    check(b"[" + b"[]," * 5 * DEEPEST + b"[]]")
    for deep in (nested(DEEPEST + 1), b'["' + b"[" * 9 + b'",' + nested(DEEPEST) + b"]"):
        with pytest.raises(UnsafeForPM2, match="nested more than 1000 deep"):
            check(deep)


def test_a_message_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(guarding, "LONGEST", 100)
    check(b"x" * 100)
    with pytest.raises(UnsafeForPM2, match="it has 101 bytes"):
        check(b"x" * 101)


def test_a_channel_of_another_serialization_has_no_daemon_of_pm2():
    ours, theirs = socket.socketpair()
    with (
        nodechannel.Channel(ours, serialization="advanced") as app,
        nodechannel.Channel(theirs, serialization="advanced") as other,
    ):
        guard(app)
        app.send(None)
        assert other.receive(20).data is None
