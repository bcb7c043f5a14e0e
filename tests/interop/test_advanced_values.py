"""All that Node can send comes back from Python deeply and strictly equal, with the same references."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import nodechannel
from support.node import FIXTURES, node

SEED, COUNT = 7, 300

BLOCKING = """
from nodechannel import connect
with connect() as channel:
    for message in channel:
        channel.send({sent})
"""
ASYNCIO = """
import asyncio
from nodechannel.asyncio import connect

async def main():
    async with await connect() as channel:
        async for message in channel:
            await channel.send({sent})

{run}(main())
"""


def sent_to(program: str, count: int = COUNT) -> dict[str, object]:
    """Return the report of Node on a child that is given random values."""
    done = subprocess.run(
        [
            node(),
            str(FIXTURES / "random-values.cjs"),
            str(SEED),
            str(count),
            sys.executable,
            "-c",
            program,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
        process_group=0,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


PROGRAMS = {
    "blocking": BLOCKING,
    "asyncio": ASYNCIO.replace("{run}", "asyncio.run"),
    "uvloop": ASYNCIO.replace("{run}", "__import__('uvloop').run"),
}


@pytest.mark.parametrize("front_end", PROGRAMS)
def test_each_value_comes_back_equal(front_end):
    if front_end == "uvloop":
        pytest.importorskip("uvloop")
    assert sent_to(PROGRAMS[front_end].format(sent="message.data")) == {
        "code": 0,
        "back": COUNT,
        "wrong": 0,
        "first": [],
    }


def test_a_child_that_copies_what_is_shared_is_noticed():
    copies = "__import__('copy').deepcopy(message.data[:1]) + message.data[1:]"
    assert sent_to(BLOCKING.format(sent=copies), 100)["wrong"]


DOUBLES = "process.on('message', (view) => process.send(view.constructor.name === 'Float64Array' ? view.map((x) => 2 * x) : 0));"


def test_a_million_numbers_go_from_numpy_to_numpy_without_a_copy(tmp_path):
    numpy = pytest.importorskip("numpy")
    (tmp_path / "child.js").write_text(DOUBLES)
    numbers = numpy.arange(1_000_000, dtype="float64")
    with nodechannel.fork(tmp_path / "child.js", serialization="advanced", exec_path=node()) as child:
        child.send(numbers)
        received = child.receive(timeout=30).data
    found = numpy.asarray(received)
    assert numpy.array_equal(found, 2 * numbers)
    assert numpy.shares_memory(found, numpy.frombuffer(received.data, dtype="float64"))
