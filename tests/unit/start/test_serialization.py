"""From the options of a channel to its serialization."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from nodechannel._advanced.serialization import AdvancedSerialization
from nodechannel._json.serialization import JsonSerialization
from nodechannel._start.serialization import known, resolve
from nodechannel.errors import InvalidMessage, UnsupportedSerialization


def test_json_is_the_serialization_that_is_not_named():
    assert isinstance(resolve({}), JsonSerialization)
    assert isinstance(resolve({"serialization": "json"}), JsonSerialization)


def test_advanced_is_named():
    assert isinstance(resolve({"serialization": "advanced"}), AdvancedSerialization)


def test_an_object_stands_for_itself():
    made = JsonSerialization()
    assert resolve({"serialization": made}) is made


@pytest.mark.rule("BOO-005")
@pytest.mark.parametrize("name", ["", "JSON", "v8", "advanced "])
def test_any_other_name_is_refused(name):
    for ask in (known, lambda mode: resolve({"serialization": mode})):
        with pytest.raises(UnsupportedSerialization):
            ask(name)


def test_the_options_of_the_channel_reach_it():
    plain, other = resolve({}), resolve({"unsafe_integers": True, "allow_nan": False, "default": repr})
    with pytest.raises(InvalidMessage):
        plain.frame(2**53 + 1)
    assert other.frame(2**53 + 1) == b"9007199254740993\n"
    with pytest.raises(InvalidMessage):
        other.frame(float("nan"))
    assert plain.frame(float("nan")) == b"null\n"
    assert other.frame(test_json_is_the_serialization_that_is_not_named).startswith(b'"<function')
    assert resolve({"serialization": "advanced", "default": repr}).frame(Ellipsis)


PROGRAM = """
import asyncio, json, socket, sys
import nodechannel, nodechannel.asyncio

def blocking(mode):
    one, other = (nodechannel.Channel(end, serialization=mode) for end in socket.socketpair())
    with one, other:
        one.send({"a": [1, "b", None]})
        one.send_many([1, 2])
        return [other.receive(timeout=10).data for _ in range(3)]

async def in_loop(mode):
    one, other = (nodechannel.asyncio.Channel(end, serialization=mode) for end in socket.socketpair())
    await one.send({"a": 1})
    found = (await other.receive(timeout=10)).data
    one.close()
    other.close()
    return found

print(json.dumps([(mode, blocking(mode), asyncio.run(in_loop(mode)), sorted(name for name in sys.modules
    if "nodechannel._advanced." in name or name in ("nodechannel.js", "numpy"))) for mode in ("json", "advanced")]))
"""


def test_the_codec_of_advanced_mode_is_loaded_when_it_is_used_and_not_before():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    (_, sent, one, before), (_, sent_too, one_too, after) = json.loads(run.stdout)
    assert (sent, one) == (sent_too, one_too) == ([{"a": [1, "b", None]}, 1, 2], {"a": 1})
    assert before == []
    assert "nodechannel._advanced.fastread" in after
    assert "numpy" not in after
