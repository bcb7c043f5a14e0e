"""Messages to PM2's daemon, and those that would end it."""

from __future__ import annotations

import time

import pytest

from nodechannel._pm2 import messages
from nodechannel._pm2.messages import UnsafeForPM2


@pytest.mark.parametrize(
    "message",
    [False, 0, "", [], {"type": "x"}, {"type": "", "data": 1}, {"type": "a", "data": 1}, "x"],
    ids=repr,
)
def test_a_plain_message_stays_as_it_is(message):
    assert messages.plain(message) is message


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"type": "axm:*", "data": 1}, "is a pattern"),
        ({"type": 1, "data": 1}, "is a text, not 1"),
        ({"type": "axm:monitor", "data": 1}, "use metric"),
    ],
    ids=repr,
)
def test_a_message_that_would_harm_the_daemon_is_refused(message, why):
    with pytest.raises(UnsafeForPM2, match=why):
        messages.plain(message)


def test_an_event_needs_data_and_a_type_of_its_own():
    assert messages.event("a", {"b": 1}) == {"type": "a", "data": {"b": 1}}
    rows: list[tuple[str, object]] = [("a", {}), ("a", None), ("", 1), ("axm:reply", 1)]
    for type_, data in rows:
        with pytest.raises(UnsafeForPM2):
            messages.event(type_, data)


def test_what_the_program_tells_of_itself():
    assert messages.human_event("n", {"a": 1})["data"] == {"a": 1, "__name": "n"}
    assert messages.version()["node_version"].startswith("Python 3.")
    assert messages.configuration({"name": "x"})["data"] == {"name": "x", "module_name": "nodechannel"}
    with pytest.raises(UnsafeForPM2, match="is a text, not 5"):
        messages.configuration({"name": 5})
    report = messages.exception(ValueError("no"), {"metric": "m"})
    assert report["type"] == "process:exception"
    assert {name: report["data"][name] for name in ("message", "name", "metadata")} == {
        "message": "no", "name": "ValueError", "metadata": {"metric": "m"}
    }  # fmt: skip


def test_actions_and_their_replies():
    assert messages.action("a", "custom", 1, None)["data"] == {
        "action_name": "a",
        "action_type": "custom",
        "arity": 1,
    }
    assert messages.action("a", "custom", 1, "why")["data"]["opts"] == {"comment": "why"}
    reply = messages.reply("a", [1])["data"]
    assert (reply["action_name"], reply["return"]) == ("a", [1])
    assert abs(reply["at"] / 1000 - time.time()) < 60
    assert messages.scoped("end", "a", "u", 2) == {
        "type": "axm:scoped_action:end", "data": {"data": 2, "uuid": "u", "action_name": "a"}
    }  # fmt: skip
