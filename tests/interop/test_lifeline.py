"""A lifeline: a second after the SIGKILL of the parent no process of the tree is alive, however busy it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nodechannel
from support.node import node

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 40.0

# A tree is to be gone within a second. The tests of a loaded machine get more; `make lifeline` asks for the second.
LIMIT = float(os.environ.get("NODECHANNEL_TEST_LIFELINE", "3"))
# Where the seconds of each tree are written to, for `make lifeline`.
REPORT = os.environ.get("NODECHANNEL_TEST_REPORT")

# Set in the environment of the parent: each process of its tree has it.
MARK = "NC_TEST_TREE"

BUSY = {
    "busy in Python": "while True: pass",
    "busy in C": "sum(range(10**13))",
    "asleep": "import time; time.sleep(1000)",
}

# A child with a child of its own, and a process whose parent has died.
CHILD = """
import os, subprocess, sys
if sys.argv[1] == "connect":
    import nodechannel
    channel = nodechannel.connect(lifeline=True)
own = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(1000)"])
subprocess.run(["/bin/sh", "-c", "sleep 1000 &"])
open(sys.argv[2], "w").close()
exec(sys.argv[3])
"""

PARENT = """
import json, sys, time
import nodechannel
argv, options = json.loads(sys.argv[1])
child = nodechannel.spawn(argv, **options)
time.sleep(1000)
"""

NODE_PARENT = """
const [argv] = JSON.parse(process.argv[1]);
require('child_process').spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
setInterval(() => {}, 1000);
"""


def quoted(command):
    import shlex

    return " ".join(map(shlex.quote, command))


def npm(folder, command):
    (folder / "package.json").write_text(json.dumps({"scripts": {"app": quoted(command)}}))
    return ["npm", "--prefix", str(folder), "run", "app"]


def npx(folder, command):
    binaries = folder / "node_modules" / ".bin"
    binaries.mkdir(parents=True)
    (folder / "package.json").write_text("{}")
    (binaries / "app").write_text(f"#!/bin/sh\n{quoted(command)}\n")
    (binaries / "app").chmod(0o755)
    return ["npm", "--prefix", str(folder), "exec", "--offline", "--no", "--", "app"]


def shim(folder, command):
    """A console script of a virtual environment, as a version manager puts it in between: a shell that waits for the interpreter."""
    (folder / "shim").write_text(f'#!/bin/sh\n{quoted(command)} "$@"\nexit $?\n')
    (folder / "shim").chmod(0o755)
    return [str(folder / "shim")]


def uv(folder, command):
    return [
        str(Path(sys.executable).parent / "uv"),
        "run",
        "--no-project",
        "--offline",
        "--quiet",
        "--",
        *command,
    ]


# Wrappers that leave the channel to the program inside.
TRANSPARENT = {
    "nothing": lambda folder, command: command,
    "sh -c": lambda folder, command: ["/bin/sh", "-c", f"{quoted(command)}; true"],
    "sh in sh": lambda folder, command: [
        "/bin/sh",
        "-c",
        f"/bin/sh -c {quoted([quoted(command) + '; true'])}; true",
    ],
    "uv run": uv,
    "a venv shim": shim,
    "timeout": lambda folder, command: ["timeout", "1000", *command],  # leads a process group of its own
}
# These are Node programs, which take the channel for themselves.
OPAQUE = {"npm run": npm, "npx": npx}


def tree(mark: str) -> dict[int, str]:
    """Return the living processes that have the mark in their environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:80]
    return found


@pytest.fixture
def kill_the_parent(request, tmp_path) -> Iterator[object]:
    """Start a parent, wait until its tree is up, kill it, and return the processes that live `LIMIT` seconds later."""
    mark = f"{MARK}={uuid.uuid4().hex}"
    environment = {name: value for name, value in os.environ.items() if name != "NODE_EXTRA_CA_CERTS"}

    def kill(argv, wrapper, *, parent=PARENT, **options):
        ready = tmp_path / "ready"
        command = [sys.executable, "-c", parent] if parent is PARENT else [node(), "-e", parent]
        process = subprocess.Popen(
            [*command, json.dumps([argv(ready), options])],
            env={**environment, MARK: mark.partition("=")[2]},
            process_group=0,
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while not ready.exists():
                assert process.poll() is None, "the parent ended"
                assert time.monotonic() < deadline, f"never ready: {tree(mark)}"
                time.sleep(0.02)
            wrappers = 0 if wrapper == "nothing" else 1
            assert len(tree(mark)) >= 4 + wrappers, tree(mark)  # the parent, the child, its child, an orphan
        finally:
            process.kill()
            process.wait()
        began = time.monotonic()
        while (left := tree(mark)) and time.monotonic() < began + LIMIT:
            time.sleep(0.02)
        if REPORT is not None:
            with Path(REPORT).open("a") as report:
                report.write(f"{time.monotonic() - began:.2f} s, {len(left)} left: {request.node.name}\n")
        return left

    yield kill
    for pid in tree(mark):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def child(folder, how, busy, wrap):
    (folder / "child.py").write_text(CHILD)
    return lambda ready: wrap(folder, [sys.executable, str(folder / "child.py"), how, str(ready), BUSY[busy]])


@pytest.mark.parametrize("busy", BUSY)
@pytest.mark.parametrize("wrapper", TRANSPARENT)
def test_connect(tmp_path, kill_the_parent, wrapper, busy):
    assert not kill_the_parent(child(tmp_path, "connect", busy, TRANSPARENT[wrapper]), wrapper)


@pytest.mark.parametrize("wrapper", ["nothing", "sh -c"])
def test_connect_under_a_node_parent(tmp_path, kill_the_parent, wrapper):
    argv = child(tmp_path, "connect", "busy in C", TRANSPARENT[wrapper])
    assert not kill_the_parent(argv, wrapper, parent=NODE_PARENT)


@pytest.mark.parametrize("busy", BUSY)
@pytest.mark.parametrize("wrapper", [*OPAQUE, "sh -c"])
def test_spawn(tmp_path, kill_the_parent, wrapper, busy):
    wrap = (OPAQUE | TRANSPARENT)[wrapper]
    assert not kill_the_parent(child(tmp_path, "-", busy, wrap), wrapper, lifeline=True)


@pytest.mark.parametrize("busy", BUSY)
@pytest.mark.parametrize("wrapper", [*OPAQUE, "sh -c"])
def test_run_under_a_node_parent(tmp_path, kill_the_parent, wrapper, busy):
    def wrap(folder, command):
        inner = (OPAQUE | TRANSPARENT)[wrapper](folder, command)
        return [sys.executable, "-m", "nodechannel", "run", "--", *inner]

    assert not kill_the_parent(child(tmp_path, "-", busy, wrap), wrapper, parent=NODE_PARENT)


def test_without_a_lifeline_a_busy_tree_lives_on(tmp_path, kill_the_parent):
    """Without a lifeline the tree lives on, which proves that the tests above can fail."""
    assert kill_the_parent(child(tmp_path, "-", "busy in C", TRANSPARENT["sh -c"]), "sh -c")


class TestTheParentLives:
    """A lifeline has no effect while the parent lives."""

    @pytest.fixture
    def asked(self, api, tmp_path):
        (tmp_path / "child.py").write_text(
            "import subprocess, sys, nodechannel\n"
            "channel = nodechannel.connect(lifeline=sys.argv[1] == 'connect')\n"
            "kept = subprocess.Popen(['sleep', '1000'], stdin=subprocess.DEVNULL) if sys.argv[2] == 'kept' else None\n"
            "channel.send(kept and kept.pid)\n"
            "channel.disconnect()\n"
            "sys.exit(7)\n"
        )

        def ask(how, kept="-"):
            argv = [sys.executable, str(tmp_path / "child.py"), how, kept]
            child = api.spawn(argv, lifeline=how == "spawn")
            message = child.receive(timeout=PATIENCE).data
            with pytest.raises(nodechannel.ChannelClosed):
                child.receive(timeout=PATIENCE)
            return message, child.wait(timeout=PATIENCE)

        return ask

    @pytest.mark.parametrize("how", ["connect", "spawn"])
    def test_the_status_and_the_end_of_the_channel_are_those_of_the_child(self, asked, how):
        assert asked(how) == (None, 7)

    @pytest.mark.parametrize("how", ["connect", "spawn"])
    def test_a_descendant_outlives_a_child_that_ends_by_itself(self, asked, how):
        pid, status = asked(how, "kept")
        try:
            time.sleep(0.5)
            os.kill(pid, 0)
        finally:
            os.kill(pid, signal.SIGKILL)
        assert status == 7


class TestRun:
    def run(self, *words, **options):
        return subprocess.run(
            [sys.executable, "-m", "nodechannel", "run", "--", *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            process_group=0,
            **options,
        )

    def test_the_command_takes_the_place_of_the_process(self):
        result = self.run("/bin/sh", "-c", "read line; echo got $line; echo err >&2; exit 5", input="x\n")
        assert (result.returncode, result.stdout, result.stderr) == (5, "got x\n", "err\n")

    @pytest.mark.parametrize(("word", "status"), [("no-such-command", 127), ("/etc/passwd", 126)])
    def test_a_command_that_cannot_be_run(self, word, status):
        result = self.run(word)
        assert result.returncode == status
        assert word in result.stderr

    def test_the_channel_goes_to_the_command(self, api, tmp_path):
        program = "import nodechannel\nwith nodechannel.connect() as c: c.send(c.receive().data)"
        child = api.spawn([sys.executable, "-m", "nodechannel", "run", "--", sys.executable, "-c", program])
        child.send({"through": "run"})
        assert child.receive(timeout=PATIENCE).data == {"through": "run"}
        assert child.wait(timeout=PATIENCE) == 0


def test_a_system_without_pidfds_gets_a_clear_error(monkeypatch, api):
    monkeypatch.delattr(os, "pidfd_open")
    with pytest.raises(nodechannel.LifelineUnsupported, match="pidfd"):
        api.spawn([sys.executable, "-c", ""], lifeline=True)


def test_a_frozen_program_gets_a_clear_error(monkeypatch, api):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(nodechannel.LifelineUnsupported, match="frozen"):
        api.spawn([sys.executable, "-c", ""], lifeline=True)
