"""The wire trace of real channels: both front ends over real Node, and real workers of a real primary."""

from __future__ import annotations

import json
import re
import socket
from typing import TYPE_CHECKING

import pytest

from support.cluster import NodePrimary, talk
from support.node import FIXTURES, node

if TYPE_CHECKING:
    from pathlib import Path

LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{6} (?P<pid>\d+) fd \d+ (?P<way>->|<-|--) (?P<text>.*)")


def lines(path: Path) -> list[tuple[str, str]]:
    """Return the direction and the text of each line, in the order of time."""
    found = [LINE.fullmatch(line) for line in path.read_text().splitlines()]
    assert all(found)
    return [(match["way"], match["text"]) for match in found if match]


def test_both_front_ends_show_both_directions(api, monkeypatch, tmp_path):
    path = tmp_path / "trace"
    monkeypatch.setenv("NODECHANNEL_TRACE", str(path))
    with api.fork(FIXTURES / "echo.cjs", exec_path=node()) as child:
        child.send({"one": 1})
        assert child.receive(timeout=20).data == {"echo": {"one": 1}}
        child.send_many([2, 3])
        assert [child.receive(timeout=20).data for _ in range(2)] == [{"echo": 2}, {"echo": 3}]
    shown = lines(path)
    assert [text for way, text in shown if way == "->"] == ['{"one":1}', "2", "3"]
    assert [text for way, text in shown if way == "<-" and text != "end of the stream"] == [
        '{"echo":{"one":1}}',
        '{"echo":2}',
        '{"echo":3}',
    ]
    assert shown[-1] == ("--", "closed")


def test_a_handle_that_is_sent_is_shown_with_its_descriptor(api, monkeypatch, tmp_path):
    path = tmp_path / "trace"
    script = tmp_path / "take.cjs"
    script.write_text("process.on('message', (m, h) => { h.close(); process.send('taken'); })")
    monkeypatch.setenv("NODECHANNEL_TRACE", str(path))
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        api.fork(script, exec_path=node()) as child,
    ):
        child.send("take", server)
        assert child.receive(timeout=20).data == "taken"
    shown = lines(path)
    way, text = shown[0]
    assert way == "->"
    assert re.fullmatch(r'\{"cmd":"NODE_HANDLE","type":"net.Server","msg":"take"\} \+fd \d+', text)
    assert ("<-", '{"cmd":"NODE_HANDLE_ACK"}') in shown


def test_a_trace_that_cannot_be_written_is_a_warning_and_the_channel_works(api, monkeypatch, tmp_path):
    monkeypatch.setenv("NODECHANNEL_TRACE", str(tmp_path / "absent" / "trace"))
    with pytest.warns(RuntimeWarning, match="the channel is not traced"):
        child = api.fork(FIXTURES / "echo.cjs", exec_path=node(), env={})
    with child:
        child.send(1)
        assert child.receive(timeout=20).data == {"echo": 1}


@pytest.mark.parametrize("worker", ["worker_asyncio.py", "worker_blocking.py"])
def test_a_worker_of_a_cluster_shows_its_protocol(worker, monkeypatch, tmp_path):
    monkeypatch.setenv("NODECHANNEL_TRACE", str(tmp_path / "trace-%p"))
    with NodePrimary("rr") as primary:
        id = primary.fork(FIXTURES / "cluster" / worker, json.dumps({"host": "127.0.0.1", "port": 0}))
        primary.message(id)
        address = primary.listening(id)
        assert talk(address["port"], b"hello") == b"hello"
        primary.do(disconnect=id)
        primary.expect("exit", id=id)
    (path,) = tmp_path.glob("trace-*")
    shown = lines(path)
    acts = [
        json.loads(text.partition(" +fd")[0]).get("act")
        for way, text in shown
        if text.startswith("{") and way == "->"
    ]
    assert acts[:2] == ["online", "queryServer"]
    offers = [text for way, text in shown if way == "<-" and '"newconn"' in text]
    assert offers
    assert all(re.search(r" \+fd \d+$", text) for text in offers)
