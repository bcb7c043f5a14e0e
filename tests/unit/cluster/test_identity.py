"""The mark of a worker."""

from __future__ import annotations

import os
import socket

import pytest

from nodechannel import NotAWorker
from nodechannel._cluster.identity import UNIQUE_ID, adopt_worker, is_worker


@pytest.fixture
def channel(monkeypatch):
    ours, theirs = socket.socketpair()
    os.set_inheritable(theirs.fileno(), True)
    monkeypatch.setenv("NODE_CHANNEL_FD", str(theirs.fileno()))
    monkeypatch.delenv("NODE_CHANNEL_SERIALIZATION_MODE", raising=False)
    monkeypatch.delenv(UNIQUE_ID, raising=False)
    yield theirs
    ours.close()
    if theirs.fileno() >= 0:
        theirs.close()


@pytest.mark.parametrize(("value", "number"), [("7", 7), ("0", 0), ("x", 0), ("-1", 0), ("\u0667", 0)])
def test_the_number_leaves_the_environment(monkeypatch, channel, value, number):
    monkeypatch.setenv(UNIQUE_ID, value)
    assert is_worker()
    sock, _, id = adopt_worker()
    channel.detach()
    assert id == number
    assert UNIQUE_ID not in os.environ
    assert not is_worker()
    sock.close()


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_number_the_channel_is_left_alone(monkeypatch, channel, value):
    if value is not None:
        monkeypatch.setenv(UNIQUE_ID, value)
    assert not is_worker()
    with pytest.raises(NotAWorker):
        adopt_worker()
    assert os.environ["NODE_CHANNEL_FD"] == str(channel.fileno())
