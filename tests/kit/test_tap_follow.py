"""`channelkit tap --follow`: every channel of a program and of its descendants is recorded, and the program does not notice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from channelkit.tap.reading import Recording, read
from channelkit.tap.record import DOWN, UP
from support.node import node

if TYPE_CHECKING:
    from pathlib import Path

CHILD = "process.on('message', (m) => process.send({ echo: m }, () => m.last && process.disconnect()));"


def follow(folder: Path, *command: str, env: dict[str, str] | None = None) -> str:
    """Runs a program to its end and returns its output."""
    done = subprocess.run(
        [sys.executable, "-m", "channelkit", "tap", "--follow", "-o", str(folder / "taps"), "--", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=40,
        process_group=0,
        env={**os.environ, **(env or {})},
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def recordings(folder: Path) -> list[Recording]:
    """The recordings of ended channels."""
    deadline = time.monotonic() + 10
    while True:
        found = [read(path) for path in sorted((folder / "taps").glob("*.ctap"))]
        if all(any(entry.end for entry in one.entries) for one in found) or time.monotonic() > deadline:
            return found
        time.sleep(0.01)


def lines(recording: Recording, way: str) -> list[object]:
    data = b"".join(entry.data for entry in recording.entries if entry.way == way)
    return [json.loads(line) for line in data.splitlines()]


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def test_a_fork_with_an_environment_of_its_own_and_its_child_are_followed(tmp_path: Path) -> None:
    write(tmp_path, "inner.cjs", CHILD)
    write(
        tmp_path,
        "outer.cjs",
        "const c = require('child_process').fork(__dirname + '/inner.cjs', { env: { PATH: process.env.PATH } });"
        "c.on('message', (m) => process.send({ from: m }, () => process.disconnect())); c.send({ last: true });",
    )
    app = write(
        tmp_path,
        "app.cjs",
        "const c = require('child_process').fork(__dirname + '/outer.cjs', ['x'], { env: { PATH: process.env.PATH } });"
        "c.on('message', (m) => console.log(JSON.stringify([m, c.spawnfile === process.execPath, c.spawnargs.slice(2)])));",
    )
    assert json.loads(follow(tmp_path, node(), app)) == [{"from": {"echo": {"last": True}}}, True, ["x"]]
    found = recordings(tmp_path)
    assert sorted(str(lines(one, UP)) for one in found) == [
        "[{'echo': {'last': True}}]",
        "[{'from': {'echo': {'last': True}}}]",
    ]


def test_a_cluster_is_followed(tmp_path: Path) -> None:
    app = write(
        tmp_path,
        "app.cjs",
        "const cluster = require('cluster'), http = require('http');"
        "if (cluster.isMaster) { cluster.fork(); cluster.on('listening', (w, a) => http.get({ port: a.port, agent: false }, (r) => {"
        " r.resume(); r.on('end', () => { console.log(r.statusCode); cluster.disconnect(); }); })); }"
        "else http.createServer((q, s) => s.end('hi')).listen(0, '127.0.0.1');",
    )
    assert follow(tmp_path, node(), app) == "200\n"
    [found] = recordings(tmp_path)
    assert found.header["worker"] == "1"
    assert [one["kind"] for entry in found.entries for one in entry.descriptors] == ["stream"]


def test_the_channel_ends_before_the_exit_is_told_although_the_relay_is_late(tmp_path: Path) -> None:
    write(tmp_path, "child.cjs", "process.on('message', () => {}); process.send('up');")
    app = write(
        tmp_path,
        "app.cjs",
        "const cp = require('child_process'), fs = require('fs');"
        "const holds = (n) => fs.readdirSync(`/proc/${n}/fd`)"
        ".some((f) => fs.readlinkSync(`/proc/${n}/fd/${f}`).startsWith(process.argv[2]));"
        "const relay = () => fs.readdirSync('/proc').find((n) => { try { return holds(n); } catch { return false; } });"
        "const c = cp.fork(__dirname + '/child.cjs');"
        "for (const what of ['exit', 'disconnect']) c.on(what, () => console.log(what));"
        "c.on('message', () => { const pid = relay(); process.kill(pid, 'SIGSTOP'); c.kill('SIGKILL');"
        " cp.spawn('sh', ['-c', `sleep 0.02; kill -CONT ${pid}`]); });",
    )
    assert follow(tmp_path, node(), app, str(tmp_path / "taps")) == "disconnect\nexit\n"


@pytest.mark.parametrize("program", ["no-such-program", "./child.cjs", "/"])
def test_a_program_that_cannot_be_started_is_the_same_error(tmp_path: Path, program: str) -> None:
    write(tmp_path, "child.cjs", "")
    app = write(
        tmp_path,
        "app.cjs",
        f"const c = require('child_process').spawn({program!r}, ['a'], {{ cwd: __dirname, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }});"
        "c.on('error', (e) => console.log(e.code, e.path, e.syscall, e.spawnargs));",
    )
    plain = subprocess.run(
        [node(), app], capture_output=True, text=True, check=False, timeout=20, process_group=0
    ).stdout
    assert plain
    assert follow(tmp_path, node(), app) == plain


def test_the_reference_starts_its_children_behind_the_tap(tmp_path: Path) -> None:
    child = write(tmp_path, "child.cjs", CHILD)
    app = write(
        tmp_path,
        "app.py",
        "import asyncio, sys\nimport nodechannel, nodechannel.asyncio as aio\n"
        "command = [sys.argv[1], sys.argv[2]]\n"
        "with nodechannel.spawn(command) as c:\n    c.send({'last': 1}); print(*(m.data for m in c))\n"
        "async def main():\n    async with await aio.spawn(command, env={}) as c:\n"
        "        await c.send({'last': 2}); print(*[m.data async for m in c])\n"
        "asyncio.run(main())\n"
        "try:\n    nodechannel.spawn(['no-such-program'])\nexcept FileNotFoundError as e:\n    print(e.filename)\n",
    )
    assert follow(tmp_path, sys.executable, app, node(), child).splitlines() == [
        "{'echo': {'last': 1}}",
        "{'echo': {'last': 2}}",
        "no-such-program",
    ]
    assert [lines(one, DOWN) for one in recordings(tmp_path)] == [[{"last": 1}], [{"last": 2}]]


def test_options_of_node_stay(tmp_path: Path) -> None:
    app = write(
        tmp_path, "app.cjs", "console.log(process.env.NODE_OPTIONS.endsWith('--no-warnings'), process.argv0);"
    )
    assert follow(tmp_path, node(), app, env={"NODE_OPTIONS": "--no-warnings"}).startswith("true")


def test_a_folder_with_a_space_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    write(folder, "child.cjs", CHILD)
    app = write(
        folder,
        "app.cjs",
        "const c = require('child_process').fork(__dirname + '/child.cjs'); c.send({ last: 1 }); c.on('exit', (n) => console.log(n));",
    )
    assert follow(folder, node(), app) == "0\n"
    assert len(recordings(folder)) == 1
