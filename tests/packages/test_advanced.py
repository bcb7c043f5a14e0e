"""Packages that choose `serialization: 'advanced'`, with Python at the far end: execa by default, jest-worker by default, tinypool."""

from __future__ import annotations

import pytest

ECHO = """
    from nodechannel import connect
    with connect() as channel:
        for message in channel:
            channel.send({"echo": message.data})
"""


@pytest.mark.package("execa", "child", "`nodechannel.connect`")
def test_execa_by_default(run_node):
    found = run_node(
        """
        import { execa } from 'execa';
        import { isDeepStrictEqual } from 'node:util';
        const sent = { map: new Map([[1, 2n]]), bytes: Buffer.from('x'), nested: [new Set([1, true]), new Date(5)] };
        const subprocess = execa(python, [child], { ipc: true });
        await subprocess.sendMessage(sent);
        const answer = await subprocess.getOneMessage();
        subprocess.disconnect();
        await subprocess;
        done(isDeepStrictEqual(answer, { echo: sent }));
        """,
        ECHO,
    )
    assert found is True


@pytest.mark.package("execa", "child", "`nodechannel.connect`")
def test_execa_strict_and_a_cancel_that_carries_an_error(run_node):
    found = run_node(
        """
        import { execa } from 'execa';
        const controller = new AbortController();
        const subprocess = execa(python, [child], { ipc: true, gracefulCancel: true, cancelSignal: controller.signal, reject: false });
        await subprocess.sendMessage({ n: 1 }, { strict: true });
        const first = await subprocess.getOneMessage();
        const next = subprocess.getOneMessage();
        controller.abort(new TypeError('stop it'));
        const second = await next;
        await subprocess;
        done([first, second]);
        """,
        """
        from nodechannel import connect, js
        with connect() as channel:
            for message in channel:
                data = message.data
                if data["type"] == "execa:ipc:request":
                    assert isinstance(data["id"], js.BigInt)
                    channel.send({"id": data["id"], "type": "execa:ipc:response", "message": True})
                    channel.send({"got": data["message"]})
                else:
                    error = data["message"]
                    channel.send([data["type"], type(error).__name__, str(error)])
                    break
        """,
    )
    assert found == [{"got": {"n": 1}}, ["execa:ipc:cancel", "Error", "TypeError: stop it"]]


@pytest.mark.package("jest-worker", "worker", "`nodechannel.workers.serve`")
def test_jest_worker_without_a_word_about_serialization(run_node):
    found = run_node(
        """
        import { Worker } from 'jest-worker';
        const forkOptions = { execPath: python, execArgv: [child] };
        const worker = new Worker(child, { numWorkers: 1, exposedMethods: ['size', 'fail'], forkOptions });
        const size = await worker.size(Buffer.from('abc'), new Map([[1, 2]]));
        const failure = await worker.fail('odd').catch((error) => error.message);
        await worker.end();
        done([size, failure]);
        """,
        """
        from nodechannel import workers

        def size(data, table):
            return [type(data).__name__, len(data), table[1]]

        def fail(text):
            raise ValueError(text)

        workers.serve({"size": size, "fail": fail})
        """,
    )
    assert found == [["bytes", 3, 2], "odd"]


@pytest.mark.package("tinypool", "worker", "`nodechannel.workers.serve`")
def test_tinypool_in_advanced_mode(run_node):
    found = run_node(
        """
        import Tinypool from 'tinypool';
        import { isDeepStrictEqual } from 'node:util';
        // tinypool does not keep Node alive while it waits for a worker that ends slowly.
        const alive = setInterval(() => {}, 1000);
        process.execPath = python;
        const pool = new Tinypool({
          filename: child, runtime: 'child_process', minThreads: 1, maxThreads: 1, execArgv: [child], env: process.env,
          serialization: 'advanced',
        });
        const task = { set: new Set([1n]), typed: new Float64Array([1.5]) };
        const result = await pool.run(task);
        await pool.destroy();
        clearInterval(alive);
        done(isDeepStrictEqual(result, task));
        """,
        """
        from nodechannel import workers
        workers.serve({"default": lambda task: task})
        """,
    )
    assert found is True
