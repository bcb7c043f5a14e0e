"""A recording for people: lines, a page, a trace; and the output of `tap` while the channel is in use."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from channelkit.look.lines import line
from channelkit.look.messages import Message, Messages
from channelkit.look.page import page
from channelkit.look.perfetto import trace
from channelkit.tap.record import DOWN, UP, Entry, Writer
from support.recordings import ACK, HEADER, TCP, about, c, close, cluster, entries, envelope, p
from support.tapped import Tapped

if TYPE_CHECKING:
    from pathlib import Path

    from support.recordings import Act

HOSTILE = {"</script><b>": "\x1b[31m\u202e"}


def messages(*acts: Act, **header: Any) -> list[Message]:
    made = Messages({**HEADER, **header})
    found = [message for entry in entries(*acts) for message in made.add(entry)]
    made.finish()
    return found


def test_an_answer_is_paired_with_what_it_answers() -> None:
    found = messages(
        p(1),
        p(envelope(key="k"), fds=(TCP,)),
        c(2),
        c(ACK),
        p(about("GET_COUNT")),
        c(about("COUNT", count=1)),
        c(cluster(7, "exitedAfterDisconnect")),
        p(cluster(0, ack=7)),
    )
    assert [one.answers for one in found] == [-1, -1, -1, 1, -1, 4, -1, 6]
    assert found[3].latency == 2000
    assert [one.kind for one in found[:4]] == ["user", "handle", "user", "answer"]
    assert "127.0.0.1:80" in found[1].descriptors[0]


def test_a_violation_stands_at_its_message() -> None:
    found = messages(p(1), c(b"\n"), p(envelope()), close(UP))
    assert [[one.rule for one in message.violations] for message in found] == [
        [],
        ["BOO-017", "FRM-004"],
        ["HND-004"],
        [],
    ]


def test_a_line_cannot_move_the_cursor() -> None:
    [one] = messages(p(HOSTILE))
    shown = line(one, colours=False)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\x1b[31m" in line(messages(p(b"bad\n"))[0], colours=True)


def test_the_page_holds_the_messages_and_no_text_of_them_ends_its_script() -> None:
    found = messages(p(HOSTILE), c(b"\n"))
    text = page(HEADER, found, [])
    assert text.count("</script>") == 2
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    content = json.loads(data[1])
    assert len(content["messages"]) == 2
    assert content["messages"][1][10][1][0] == "FRM-004"
    assert content["sentences"]["FRM-004"]
    assert "http" not in re.sub(r"<script type.*?</script>", "", text, flags=re.DOTALL)


def test_a_hundred_thousand_messages_make_a_page_of_a_bearable_size() -> None:
    acts = Entry(1, DOWN, (json.dumps({"n": 1, "t": "x" * 400}).replace(" ", "").encode() + b"\n") * 100_000)
    made = Messages(HEADER)
    found = list(made.add(acts))
    assert len(found) == 100_000
    assert len(page(HEADER, found, [])) < 100 << 20


def test_the_trace_has_an_event_for_each_message_and_a_slice_for_an_answered_one() -> None:
    events = json.loads(trace(messages(p(envelope(), fds=(TCP,)), c(ACK))))["traceEvents"]
    assert [event["ph"] for event in events] == ["M", "M", "i", "i", "X"]
    assert events[-1] == {
        "pid": 1,
        "tid": 1,
        "ts": 1000,
        "ph": "X",
        "name": "NODE_HANDLE answered",
        "dur": 1000,
    }


def _look(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "channelkit", "look", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        process_group=0,
    )


def test_the_command_writes_beside_the_recording(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.ctap", HEADER)
    for entry in entries(p(1), c(b"\n")):
        writer.add(entry)
    writer.close()
    assert _look(str(tmp_path / "a.ctap")).returncode == 0
    assert (tmp_path / "a.html").read_text("utf-8").startswith("<!doctype html>")
    assert _look(str(tmp_path / "a.ctap"), "--export", "perfetto").returncode == 0
    assert json.loads((tmp_path / "a.trace.json").read_text("utf-8"))["traceEvents"]
    shown = _look(str(tmp_path / "a.ctap"), "--show").stdout
    assert "→ 1" in shown
    assert "FRM-004" in shown
    assert _look(str(tmp_path / "absent.ctap")).returncode == 2


@pytest.mark.parametrize("kept", [True, False])
def test_tap_shows_messages_and_broken_rules_while_the_channel_is_in_use(tmp_path: Path, kept: bool) -> None:
    text = (
        "import os, socket\nend = socket.socket(fileno=int(os.environ['NODE_CHANNEL_FD']))\n"
        "end.sendall(b'\\n')\nend.sendall(end.recv(100))\nend.recv(1)"
    )
    command = [sys.executable, "-I", "-c", text]
    child = Tapped(tmp_path / "a.ctap", command, "--show", "--lint", output=kept)
    assert child.end.recv(1) == b"\n"
    seen = b""
    assert child.process.stderr is not None
    while b"FRM-004 MUST  child: a blank line" not in seen:
        seen += child.process.stderr.read1()  # type: ignore[attr-defined]
    child.end.sendall(b'{"a":1}\n')
    assert child.line() == {"a": 1}
    child.end.close()
    _out, rest = child.process.communicate(timeout=20)
    assert '← {"a": 1}'.encode() in rest
    assert (tmp_path / "a.ctap").exists() == kept
