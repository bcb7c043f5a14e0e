"""Python programs under packages that need no front end of their own; `pyref/recipes/others.md` has the same lines."""

from __future__ import annotations

import pytest

ECHO = """
    import nodechannel

    with nodechannel.connect() as channel:
        channel.send({"ready": True})
        for message in channel:
            if message.data == "end":
                break
            channel.send({"echo": message.data})
"""


@pytest.mark.package("foreground-child", "child", "`nodechannel.connect`")
def test_foreground_child(run_node):
    found = run_node(
        """
        // parent -> a Node program with foreground-child -> Python
        import { fork } from 'child_process';
        import { writeFileSync } from 'fs';
        writeFileSync('middle.mjs', `
          import { foregroundChild } from 'foreground-child';
          foregroundChild(process.argv[2], [process.argv[3]]);
        `);
        const middle = fork('middle.mjs', [python, child]);
        const seen = [];
        middle.on('message', (message) => {
          seen.push(message);
          if (message.ready) middle.send({ n: 1 });
          else middle.send('end');
        });
        middle.on('exit', (code) => done({ seen, code }));
        """,
        ECHO,
    )
    assert found == {"seen": [{"ready": True}, {"echo": {"n": 1}}], "code": 0}


@pytest.mark.package("concurrently", "child", "`nodechannel.connect`")
def test_concurrently(run_node):
    found = run_node(
        """
        import { concurrently } from 'concurrently';
        const { commands, result } = concurrently([{ command: `exec ${python} ${child}`, ipc: 3 }], { raw: true });
        const seen = [];
        commands[0].messages.incoming.subscribe(({ message }) => {
          seen.push(message);
          if (message.ready) commands[0].send({ n: 1 });
          else commands[0].send('end');
        });
        const [{ exitCode }] = await result;
        done({ seen, exitCode });
        """,
        ECHO,
    )
    assert found == {"seen": [{"ready": True}, {"echo": {"n": 1}}], "exitCode": 0}


@pytest.mark.package("forever-monitor", "child", "`nodechannel.connect`")
def test_forever_monitor(run_node):
    found = run_node(
        """
        import forever from 'forever-monitor';
        const monitor = new forever.Monitor(child, { command: python, max: 1, fork: true, silent: true });
        const seen = [];
        monitor.on('message', (message) => {
          seen.push(message);
          if (message.ready) monitor.send({ n: 1 });
          else monitor.send('end');
        });
        monitor.on('exit', () => done(seen));
        monitor.start();
        """,
        ECHO,
    )
    assert found == [{"ready": True}, {"echo": {"n": 1}}]


@pytest.mark.package("throng", "worker", "`nodechannel.cluster`")
def test_throng(run_node):
    found = run_node(
        """
        // throng forks workers of Node's cluster; `exec` and `execPath` make them Python.
        import cluster from 'cluster';
        import throng from 'throng';
        cluster.setupPrimary({ exec: child, execArgv: [] });
        process.execPath = python;
        const seen = [];
        const ended = [];
        cluster.on('message', (worker, message) => {
          seen.push(message);
          if (seen.length === 2) process.kill(process.pid, 'SIGTERM');
        });
        cluster.on('exit', (worker, code) => {
          ended.push(code);
          if (ended.length === 2) { done({ seen, ended }); process.exit(0); }
        });
        throng({ count: 2, lifetime: 0, worker() {}, master() {} });
        """,
        """
        import asyncio, signal
        from nodechannel.cluster.asyncio import connect

        async def main():
            async with await connect() as worker:
                stop = asyncio.Event()
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
                await worker.send({"worker": worker.id})
                await stop.wait()

        asyncio.run(main())
        """,
    )
    assert sorted(message["worker"] for message in found["seen"]) == [1, 2]
    assert found["ended"] == [0, 0]
