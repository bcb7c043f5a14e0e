"""No accepted message is lost while the peer lives. A block, a program or a cancelled main may end, and the peer may be busy."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.node import node

# Stops reading for a while after the first message; reports at the end how many messages came, and when the channel ended.
PARENT = """
const {spawn} = require('child_process');
const [python, source, busy] = process.argv.slice(1);
const child = spawn(python, ['-c', source], {stdio: ['ignore', 'inherit', 'pipe', 'ipc']});
let seen = 0, stderr = '', disconnected = null;
child.stderr.on('data', (data) => { stderr += data; });
child.on('message', () => {
  if (seen++ === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000 * busy);
});
child.on('disconnect', () => { disconnected = Date.now(); });
child.on('exit', (code) => {
  const ended = Date.now();
  setTimeout(() => console.log(JSON.stringify({seen, code, stderr, late: disconnected - ended})), 300);
});
"""

ENDS = {
    "the end of a block": """
import asyncio, nodechannel.asyncio
async def main():
    async with await nodechannel.asyncio.connect() as channel:
        for number in range(41):
            try: await channel.send(str(number) * 20_000, timeout=0.01)
            except TimeoutError: pass
asyncio.run(main())
""",
    "the end of the program": """
import asyncio, nodechannel.asyncio
async def main():
    channel = await nodechannel.asyncio.connect()
    for number in range(41):
        try: await channel.send(str(number) * 20_000, timeout=0.01)
        except TimeoutError: pass
asyncio.run(main())
""",
    "a cancelled main": """
import asyncio, nodechannel.asyncio
async def main():
    async with await nodechannel.asyncio.connect() as channel:
        for number in range(41):
            try: await channel.send(str(number) * 20_000, timeout=0.01)
            except TimeoutError: pass
        await asyncio.sleep(60)
async def cancelled():
    task = asyncio.create_task(main())
    await asyncio.sleep(1)
    task.cancel()
    try: await task
    except asyncio.CancelledError: pass
asyncio.run(cancelled())
""",
    "an error in a block": """
import asyncio, nodechannel.asyncio
async def main():
    async with await nodechannel.asyncio.connect() as channel:
        for number in range(41):
            try: await channel.send(str(number) * 20_000, timeout=0.01)
            except TimeoutError: pass
        raise SystemExit
asyncio.run(main())
""",
    "blocking, the end of the program": """
import nodechannel
channel = nodechannel.connect()
for number in range(41):
    try: channel.send(str(number) * 20_000, timeout=0.01)
    except TimeoutError: pass
""",
    "blocking, the end of a block": """
import nodechannel
with nodechannel.connect() as channel:
    for number in range(41):
        try: channel.send(str(number) * 20_000, timeout=0.01)
        except TimeoutError: pass
""",
    "blocking, an error in a block": """
import nodechannel
with nodechannel.connect() as channel:
    for number in range(41):
        try: channel.send(str(number) * 20_000, timeout=0.01)
        except TimeoutError: pass
    raise SystemExit
""",
}


def run(source: str, busy: float) -> Any:
    done = subprocess.run(
        [node(), "-e", PARENT, sys.executable, source, str(busy)],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_parent_that_is_busy_longer_than_any_grace_gets_everything():
    # All at once, since each only waits.
    with ThreadPoolExecutor(len(ENDS)) as pool:
        found = dict(zip(ENDS, pool.map(lambda source: run(source, 7), ENDS.values()), strict=True))
    got = {end: (one["seen"], one["code"], one["stderr"]) for end, one in found.items()}
    assert got == dict.fromkeys(ENDS, (41, 0, ""))


@pytest.mark.parametrize(
    "end", ["the end of the program", "blocking, the end of the program", "a cancelled main"]
)
def test_what_a_limit_costs_is_told(end):
    before = time.monotonic()
    found = run(ENDS[end].replace("connect()", "connect(linger=0.5)"), 4)
    assert time.monotonic() - before < 20
    assert found["seen"] < 41
    assert "bytes of messages were not delivered" in found["stderr"]


@pytest.mark.parametrize("front", ["nodechannel.connect()", "asyncio.run(nodechannel.asyncio.connect())"])
def test_a_channel_that_nothing_refers_to_lives_as_long_as_its_program(front):
    source = f"""
import asyncio, gc, time, nodechannel, nodechannel.asyncio
def say():
    if "asyncio" in {front!r}:
        async def main(): await (await nodechannel.asyncio.connect()).send("ready")
        asyncio.run(main())
    else: nodechannel.connect().send("ready")
say()
gc.collect()
time.sleep(1.5)
"""
    found = run(source, 0)
    assert (found["seen"], found["code"]) == (1, 0)
    assert found["late"] > -700, found
