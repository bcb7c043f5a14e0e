"""The npm package of `hop.cjs`, and parents that can only start Node."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest

from nodechannel import hop
from support.node import ROOT, node
from support.packages import npm
from support.processes import wait_until_gone

FOLDER = ROOT / "node-interop" / "hop"


def test_the_package_holds_the_file_of_the_wheel(tmp_path):
    run = subprocess.run(
        [*npm(), "pack", "--json", "--pack-destination", str(tmp_path)],
        cwd=FOLDER,
        env={**os.environ, "npm_config_loglevel": "error"},
        capture_output=True,
        text=True,
        timeout=50,
        process_group=0,
        check=True,
    )
    assert run.returncode == 0
    (archive,) = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as package:
        assert set(package.getnames()) == {"package/hop.cjs", "package/package.json"}
        content = package.extractfile("package/hop.cjs")
        assert content is not None
        assert content.read() == Path(hop.path()).read_bytes()


def test_its_version_is_the_version_of_the_wheel():
    import nodechannel

    assert json.loads((FOLDER / "package.json").read_text())["version"] == nodechannel.__version__


@pytest.mark.package("nodemon", "program", "`hop.cjs`")
def test_nodemon_starts_a_python_program_with_a_channel_and_restarts_it(packages, script):
    child = script(
        "child.py",
        """
        import os
        import nodechannel
        with nodechannel.connect() as channel:
            channel.send({"pid": os.getpid()})
            for message in channel:
                channel.send({"echo": message.data})
        """,
    )
    watched = script("watched.txt", "")
    monitor = script(
        "monitor.cjs",
        """
        const [root, hop, watched, ...command] = process.argv.slice(2);
        const nodemon = require(root + '/node_modules/nodemon');
        nodemon({ script: hop, args: command, watch: [watched], stdin: false, spawn: false, signal: 'SIGTERM' });
        nodemon.on('message', (message) => console.log(JSON.stringify(message)));
        process.on('SIGUSR1', () => nodemon.restart());
        process.on('SIGTERM', () => { nodemon.once('exit', () => process.exit(0)); nodemon.emit('quit'); });
        """,
    )
    process = subprocess.Popen(
        [node(), str(monitor), str(packages), hop.path(), str(watched), sys.executable, str(child)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PATH": f"{Path(node()).parent}{os.pathsep}{os.environ['PATH']}"},
        process_group=0,
        text=True,
        cwd=watched.parent,
    )
    try:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())["pid"]
        os.kill(process.pid, signal.SIGUSR1)
        second = json.loads(process.stdout.readline())["pid"]
        assert first != second
        wait_until_gone(first)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=10)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    wait_until_gone(second)
