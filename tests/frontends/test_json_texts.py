"""JSON texts in and out, and the results of a hook for received objects, in both front ends and roles."""

from __future__ import annotations

import json
import pickle
import socket
import types
from typing import Any

import pytest

from nodechannel import Message, errors
from support.node import FIXTURES, node

POINT = {"kind": "point", "at": [1, {"kind": "point", "at": []}]}


def namespace(members: dict[str, Any]) -> types.SimpleNamespace:
    return types.SimpleNamespace(**members)


@pytest.fixture
def options():
    return {}


@pytest.fixture
def pair(api, options):
    ours, theirs = socket.socketpair()
    theirs.settimeout(20)
    channel = api.channel(ours, **options)
    yield channel, theirs
    channel.close()
    theirs.close()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b'{"a":  1}', b'{"a":  1}\n'),
        ('"é"', '"é"\n'.encode()),
        (json.dumps({"a": [1, 2]}, indent=1), b'{  "a": [   1,   2  ] }\n'),
        (bytearray(b" \n null\r\n"), b"null\n"),
        ('"\ud800"', b'"\\ud800"\n'),
    ],
)
def test_a_text_is_sent_as_it_is_on_one_line(channel, peer, text, line):
    channel.send_json(text)
    channel.send_json(text, trusted=True)
    channel.flush()
    assert peer.recv(1000) == line * 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "not JSON"),
        ("NaN", "NaN is not JSON"),
        (b'"\n"', "not JSON"),
        (b"1\n2", "not JSON"),
        (b'"\xff"', r"not UTF-8 \(byte 1\)"),
        (b"", "blank"),
        (b' {"cmd":"NODE_X"}', "cmd"),
    ],
)
def test_a_text_that_is_no_message_is_refused(channel, peer, text, reason):
    with pytest.raises(errors.InvalidMessage, match=reason):
        channel.send_json(text)
    channel.send("end")
    channel.flush()
    assert peer.recv(1000) == b'"end"\n'


@pytest.mark.parametrize("text", [b'{"cmd":"NODE_X"}', b'{"c\\u006dd":"\\u004eODE_X"}', b" \n"])
@pytest.mark.rule("CLS-005")
def test_a_trusted_text_is_neither_internal_nor_blank(channel, text):
    with pytest.raises(errors.InvalidMessage):
        channel.send_json(text, trusted=True)


@pytest.mark.parametrize("serialization", ["json", "advanced"])
def test_node_reads_a_text_and_its_handle(api, serialization):
    options = {"serialization": serialization, "raw": True, "exec_path": node()}
    with (
        api.fork(FIXTURES / "echo.cjs", **options) as child,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        child.send_json(' {"n": [1, null]}')
        answer = child.receive(timeout=20)
        assert answer.data == {"echo": {"n": [1, None]}}
        assert answer.raw == (b'{"echo":{"n":[1,null]}}' if serialization == "json" else answer.raw)
        assert answer.raw
        child.send_json("[true]", server)
        answer = child.receive(timeout=20)
        assert answer.data == {"echo": [True]}
        assert answer.raw is None
        answer.handle.close()


@pytest.mark.parametrize("options", [{"raw": True}, {"raw": True, "object_hook": namespace}])
def test_messages_keep_their_bytes(channel, peer):
    line = b' {"b": 1.0,  "b": 2} '
    peer.sendall(line + b"\nnull\nwrong\n" + line[:5])
    assert [channel.receive(timeout=5).raw for _ in range(2)] == [line, b"null"]
    with pytest.raises(errors.InvalidJson):
        channel.receive(timeout=5)
    peer.sendall(line[5:] + b"\n")
    (message,) = channel.receive_many(timeout=5)
    assert message.raw == line
    channel.send_json(message.raw)
    channel.flush()
    assert peer.recv(1000) == line.strip() + b"\n"


def test_messages_keep_no_bytes_unless_told(channel, peer):
    peer.sendall(b"1\n")
    assert channel.receive(timeout=5).raw is None
    assert Message(1).raw is None


@pytest.mark.parametrize("options", [{"object_hook": namespace}])
def test_a_hook_makes_the_objects_of_a_message(channel, peer):
    peer.sendall(json.dumps(POINT).encode() + b"\n[[{}]]\n7\n")
    message = channel.receive(timeout=5)
    assert message.data.at[1].kind == "point"
    assert message.data is message.data
    assert message == Message(json.loads(json.dumps(POINT), object_hook=namespace))
    assert [message.data for message in channel.receive_many(timeout=5)] == [[[namespace({})]], 7]


def raise_key_error(_members: dict[str, Any]) -> Any:
    raise KeyError("kind")


@pytest.mark.parametrize("options", [{"object_hook": raise_key_error}])
def test_an_exception_of_a_hook_leaves_the_access_to_the_value(channel, peer):
    peer.sendall(b'{"a":1}\n{"cmd":"NODE_X"}\n[]\n')
    message = channel.receive(timeout=5)
    for _ in range(2):
        with pytest.raises(KeyError):
            message.data  # noqa: B018
    assert channel.receive(timeout=5).data == []


@pytest.mark.parametrize("options", [{"object_hook": namespace}])
def test_objects_at_any_depth_are_made(channel, peer):
    depth = 20_000
    peer.sendall(b'{"a":' * depth + b"0" + b"}" * depth + b"\n")
    value = channel.receive(timeout=20).data
    for _ in range(depth):
        value = value.a
    assert value == 0


@pytest.mark.parametrize("options", [{"serialization": "advanced", "object_hook": len}])
def test_a_shared_object_is_made_once_and_a_cycle_ends(api, channel, peer):
    sender = api.channel(peer.dup(), serialization="advanced")
    shared = {"a": 1, "b": 2}
    sender.send([shared, {"inner": shared}])
    cycle: dict[str, Any] = {"a": 1}
    cycle["self"] = [cycle]
    sender.send(cycle)
    assert channel.receive(timeout=5).data == [2, 1]
    assert channel.receive(timeout=5).data == 2
    sender.close()


def test_a_message_with_bytes_can_be_made_and_pickled():
    message = Message({"a": 1}, raw=b'{"a":1}')
    assert message == Message({"a": 1})
    again = pickle.loads(pickle.dumps(message))
    assert (again, again.raw) == (message, b'{"a":1}')


def test_errors_and_messages_come_in_order_with_bytes(api):
    ours, theirs = socket.socketpair()
    channel = api.channel(ours, raw=True)
    theirs.sendall(b"x\n1\n2\n")
    with pytest.raises(errors.InvalidJson):
        channel.receive(timeout=5)
    assert [message.data for message in channel.receive_many(timeout=5)] == [1, 2]
    channel.close()
    theirs.close()
