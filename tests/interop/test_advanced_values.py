"""All that Node can send comes back from Python deeply and strictly equal, with the same references."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

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

asyncio.run(main())
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


@pytest.mark.parametrize("program", [BLOCKING, ASYNCIO], ids=["blocking", "asyncio"])
def test_each_value_comes_back_equal(program):
    assert sent_to(program.format(sent="message.data")) == {
        "code": 0,
        "back": COUNT,
        "wrong": 0,
        "first": [],
    }


def test_a_child_that_copies_what_is_shared_is_noticed():
    copies = "__import__('copy').deepcopy(message.data[:1]) + message.data[1:]"
    assert sent_to(BLOCKING.format(sent=copies), 100)["wrong"]
