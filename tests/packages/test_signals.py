"""`end_on_signal=True` under the programs that stop their children by a signal: PM2 in fork mode, tinypool and throng."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress

import pytest

from support.node import node
from support.pm2 import PATIENCE

LOOPS = {
    "blocking": """
        import nodechannel
        with nodechannel.connect(end_on_signal=True) as channel:
            print("ready", flush=True)
            for message in channel: pass
        print("ended well", flush=True)
    """,
    "asyncio": """
        import asyncio
        from nodechannel import asyncio as nodechannel
        async def main():
            async with await nodechannel.connect(end_on_signal=True) as channel:
                print("ready", flush=True)
                async for message in channel: pass
            print("ended well", flush=True)
        asyncio.run(main())
    """,
}

WORKERS = {
    "blocking": """
        import sys
        from nodechannel import cluster
        with cluster.connect(end_on_signal=True) as worker:
            server = worker.listen(0, "127.0.0.1")
            open(sys.argv[1] + ".ready", "w").close()
            for connection in server: connection.close()
        open(sys.argv[1] + ".ended", "w").close()
    """,
    "asyncio": """
        import asyncio, sys
        from nodechannel.cluster import asyncio as cluster
        async def main():
            worker = await cluster.connect(end_on_signal=True)
            await worker.listen(0, lambda reader, writer: writer.close(), "127.0.0.1")
            open(sys.argv[1] + ".ready", "w").close()
            await worker.wait_closed()
            open(sys.argv[1] + ".ended", "w").close()
        asyncio.run(main())
    """,
}

both = pytest.mark.parametrize("front_end", LOOPS)


@both
class TestPM2:
    """PM2 sends SIGINT, and SIGKILL `kill_timeout` milliseconds later, 1600 if not given."""

    def start(self, pm2, script, front_end):
        pm2.start(script("app.py", LOOPS[front_end]), kill_timeout=40_000)  # a busy machine needs more
        self.until(lambda: "ready" in pm2.logs()[0])

    def until(self, seen):
        deadline = time.monotonic() + PATIENCE
        while not seen():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def test_stop(self, pm2, script, front_end):
        self.start(pm2, script, front_end)
        pm2.call("stop", "app")
        env = pm2.until(lambda env: env["status"] == "stopped")
        assert pm2.logs() == ("ready\nended well\n", "")
        assert env["exit_code"] == 0

    @pytest.mark.parametrize("how", ["reload", "restart"])
    def test_reload(self, pm2, script, front_end, how):
        self.start(pm2, script, front_end)
        pm2.call(how, "app")
        self.until(lambda: pm2.logs()[0].count("ready") == 2)
        assert pm2.logs() == ("ready\nended well\nready\n", "")


@both
def test_tinypool(run_node, front_end):
    """Tinypool sends SIGTERM to a worker process of a pool that is destroyed, and SIGKILL a second later."""
    found = run_node(
        """
        import { Tinypool } from 'tinypool';
        import fs from 'node:fs';
        // tinypool does not keep Node alive while it waits for a worker that ends slowly.
        const alive = setInterval(() => {}, 1000);
        process.execPath = python;
        const pool = new Tinypool({
          env: process.env, runtime: 'child_process', filename: child, minThreads: 1, maxThreads: 1, execArgv: ['-u', child],
        });
        const until = async (name) => { while (!fs.existsSync(name)) await new Promise((done) => setTimeout(done, 20)); };
        await until('ready');
        await pool.destroy();
        clearInterval(alive);
        done(fs.readdirSync('.').includes('ended well'));
        """,
        "def write(name): open(name, 'w').close()\n"
        + textwrap.dedent(LOOPS[front_end]).replace("print(", "write(").replace(", flush=True", ""),
    )
    assert found is True


@pytest.mark.package("throng", "worker", "`nodechannel.cluster`")
@both
def test_throng(packages, script, tmp_path, front_end):
    """Throng passes SIGTERM on to the workers of its cluster, and exits when they have left."""
    worker = script("worker.py", WORKERS[front_end])
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    primary = script(
        "primary.cjs",
        f"""
        const cluster = require('cluster');
        const throng = require('throng');
        cluster.setupPrimary({{ exec: {str(worker)!r}, args: [{str(tmp_path / "w")!r}], execArgv: [] }});
        process.execPath = {sys.executable!r};
        throng({{ count: 1, grace: 8000, worker: () => {{}}, master: () => {{}} }});
        """,
    )
    process = subprocess.Popen([node(), str(primary)], process_group=0)
    try:
        deadline = time.monotonic() + PATIENCE
        while not (tmp_path / "w.ready").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert time.monotonic() - began < 7  # not by the SIGKILL of its grace
        assert (tmp_path / "w.ended").exists()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
