"""The blocking front end of standard streams."""

from __future__ import annotations

import contextlib
import sys

import pytest

from nodechannel import errors, stdio
from nodechannel._core.delivery import DeliveryState

FRAMINGS = ["lines", "headers"]
WRITTEN = DeliveryState.WRITTEN

# A child that reads to the end and writes no byte.
SILENT = [sys.executable, "-c", "import sys; sys.stdin.buffer.read()"]
# A child that writes back all that it reads.
ECHO = ["cat"]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_messages_come_back_in_order(framing):
    with stdio.spawn(ECHO, framing=framing) as child:
        child.send_many(range(100))
        child.send_json('{"a":\n1}')
        assert [child.receive(timeout=20).data for _ in range(100)] == list(range(100))
        assert child.receive(timeout=20).data == {"a": 1}
        child.disconnect()
        assert child.wait(timeout=20) == 0
    assert list(child) == []


def test_a_block_that_fails_ends_its_child_at_once():
    with contextlib.suppress(KeyError), stdio.spawn(["sleep", "60"]) as child:
        raise KeyError
    assert child.process.returncode == -15


def test_an_unknown_framing_starts_nothing(tmp_path):
    with pytest.raises(ValueError, match="'lines' and 'headers' are known"):
        stdio.spawn(["touch", str(tmp_path / "started")], framing="netstrings")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("framing", FRAMINGS)
def test_no_messages_over_standard_streams(framing):
    with stdio.spawn(SILENT, framing=framing) as child:
        assert child.send_many([], timeout=20).state is WRITTEN
        child.disconnect()
        with pytest.raises(errors.ChannelClosed):
            child.send_many([])
