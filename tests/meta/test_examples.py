"""Node and the reference behave as the examples in the chapters of `spec/` show."""

from __future__ import annotations

import array
import os
import re
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from support.node import ROOT, node

CHAPTERS = sorted((ROOT / "spec").glob("*.md"))
_FENCE = re.compile(r"^```wire ([a-z-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"([<>]) (.*?)(\\n)?(?:     \+ (tcp))?$")

# Each program echoes, keeps its handles, and closes all of them when it is told to.
NODE = """const kept = [];
process.on('message', (message, handle) => {
  if (handle) kept.push(handle);
  process.send({ echo: message });
  if (message === 'close') kept.forEach((one) => one.destroy());
});"""
REFERENCE = """import nodechannel
kept = []
with nodechannel.connect() as channel:
    for message in channel:
        if message.handle is not None:
            kept.append(message.handle)
        channel.send({"echo": message.data})
        if message.data == "close":
            for one in kept:
                one.close()
    for one in kept:
        one.close()
"""
COMMANDS = {
    "node": lambda: [node(), "-e", NODE],
    "reference": lambda: [sys.executable, "-W", "error", "-c", REFERENCE],
}


class Step(NamedTuple):
    """Bytes to the program or from it."""

    outwards: bool
    data: bytes
    handle: str | None


def steps(body: str) -> list[Step]:
    """Read an example; neighbouring lines in the same direction are a single step, unless a handle comes with them."""
    found: list[Step] = []
    for line in body.splitlines():
        match = _LINE.fullmatch(line)
        assert match, f"not a line of an example: {line}"
        step = Step(match[1] == ">", match[2].encode() + (b"\n" if match[3] else b""), match[4])
        if found and found[-1].outwards == step.outwards and not (found[-1].handle or step.handle):
            step = Step(step.outwards, found.pop().data + step.data, None)
        found.append(step)
    return found


EXAMPLES = {name: steps(body) for path in CHAPTERS for name, body in _FENCE.findall(path.read_text("utf-8"))}


def write(end: socket.socket, step: Step, stack: ExitStack) -> None:
    if step.handle is None:
        end.sendall(step.data)
        return
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    one = stack.enter_context(socket.create_connection(server.getsockname()))
    stack.enter_context(server.accept()[0])
    one.setblocking(False)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [one.fileno()]))]
    assert end.sendmsg([step.data], rights) == len(step.data)


def read(end: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = end.recv(count - len(data))
        if not more:
            break
        data += more
    return data


def test_there_are_examples_and_their_names_differ() -> None:
    names = [name for path in CHAPTERS for name, _ in _FENCE.findall(path.read_text("utf-8"))]
    assert len(set(names)) == len(names) >= 7


@pytest.mark.parametrize("who", COMMANDS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str, who: str) -> None:
    with ExitStack() as stack:
        end, theirs = socket.socketpair()
        stack.enter_context(end)
        end.settimeout(20)
        with theirs:
            variables = {
                "NODE_CHANNEL_FD": str(theirs.fileno()),
                "NODE_CHANNEL_SERIALIZATION_MODE": "json",
            }
            process = subprocess.Popen(
                COMMANDS[who](), env=os.environ | variables, pass_fds=[theirs.fileno()]
            )
        stack.callback(process.wait, 20)
        stack.callback(process.terminate)
        for step in EXAMPLES[name]:
            if step.outwards:
                write(end, step, stack)
            else:
                assert read(end, len(step.data)) == step.data
        end.shutdown(socket.SHUT_WR)
        assert read(end, 1) == b"", "something follows that the example does not show"
