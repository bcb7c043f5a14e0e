"""`nodechannel.rpc` with the real vscode-jsonrpc at the far end."""

from __future__ import annotations

import asyncio
import inspect
import textwrap
import threading
import time

import pytest

import nodechannel
from nodechannel import rpc
from nodechannel.rpc import asyncio as aio_rpc
from support.node import node

pytestmark = pytest.mark.package("vscode-jsonrpc", "either end", "`nodechannel.rpc`")

NODE = """
    const rpc = require('vscode-jsonrpc/node');
    const connection = rpc.createMessageConnection(new rpc.IPCMessageReader(process), new rpc.IPCMessageWriter(process));
    const progress = new rpc.ProgressType();
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    let noted = [];
    const cancelled = [];
    connection.onRequest('add', ({ a, b }) => a + b);
    connection.onRequest('sum', (...numbers) => numbers.slice(0, -1).reduce((x, y) => x + y, 0));
    connection.onRequest('nothing', () => undefined);
    connection.onRequest('fail', () => { throw new RangeError('odd'); });
    connection.onRequest('refuse', () => { throw new rpc.ResponseError(4711, 'no', { why: 'because' }); });
    connection.onRequest('slow', (params, token) => new Promise((resolve, reject) => {
      token.onCancellationRequested(() => { cancelled.push(params.name); reject(new rpc.ResponseError(-32800, 'stopped')); });
    }));
    connection.onRequest('cancelled', () => cancelled);
    connection.onRequest('report', async ({ workDoneToken }) => {
      for (let n = 0; n < 3; n += 1) await connection.sendProgress(progress, workDoneToken, { n });
      return 'reported';
    });
    connection.onNotification('note', (value) => { noted.push(value); });
    connection.onRequest('noted', () => noted);
    // The other way: calls the method that it is told to, and returns the outcome.
    connection.onRequest('callback', async ({ method, params }) => {
      try { return { value: await connection.sendRequest(method, params) }; }
      catch (error) { return { code: error.code, message: error.message, data: error.data }; }
    });
    connection.onRequest('cancelMe', async () => {
      const source = new rpc.CancellationTokenSource();
      const answer = connection.sendRequest('wait', {}, source.token).catch((error) => error.code);
      await sleep(300);
      source.cancel();
      return answer;
    });
    connection.onRequest('follow', async () => {
      const seen = [];
      const listening = connection.onProgress(progress, 'mine', (value) => seen.push(value));
      const answer = await connection.sendRequest('work', { workDoneToken: 'mine' });
      listening.dispose();
      return { seen, answer };
    });
    connection.onRequest('flood', async ({ n }) => {
      let refused = 0;
      const refuse = ({ code }) => { refused += 1; if (refused === n - 5) connection.sendNotification('open'); return code; };
      return Promise.all([...Array(n).keys()].map((i) => connection.sendRequest('double', i).catch(refuse)));
    });
    connection.onRequest('end', () => { setTimeout(() => process.exit(0), 50); return 'ending'; });
    connection.onRequest('die', () => process.exit(5));
    connection.listen();
"""


class Awaited:
    """The asyncio peer in a loop of its own, with blocking words; coroutines and plain functions alike."""

    def __init__(self, *args, **options):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.peer = self.run(aio_rpc.fork(*args, **options))

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def __getattr__(self, name):
        value = getattr(self.peer, name)
        if name == "method":
            return value
        return lambda *args, **options: self.run(self._awaited(value, *args, **options))

    async def _awaited(self, function, *args, **options):
        result = function(*args, **options)
        return await result if inspect.isawaitable(result) else result

    def close(self):
        self.run(self.peer.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture(params=["blocking", "asyncio"])
def start(request, packages, script):
    """Fork the Node end; register methods before the first request."""
    peers = []

    def fork(**options):
        program = script("peer.cjs", NODE)
        if not (program.parent / "node_modules").exists():
            (program.parent / "node_modules").symlink_to(packages / "node_modules")
        make = rpc.fork if request.param == "blocking" else Awaited
        peer = make(program, exec_path=node(), **options)
        peers.append(peer)
        return peer

    yield fork
    for peer in peers:
        peer.close()


def test_requests_notifications_and_errors(start):
    peer = start()
    assert peer.request("add", {"a": 2, "b": 3}) == 5
    assert peer.request("sum", [1, 2, 3]) == 6
    assert peer.request("sum", 7) == 7
    assert peer.request("nothing") is None
    peer.notify("note", {"n": 1})
    peer.notify("note", {"n": 2})
    assert peer.request("noted") == [{"n": 1}, {"n": 2}]
    with pytest.raises(rpc.RpcError, match="odd") as caught:
        peer.request("fail")
    assert caught.value.number == -32603
    with pytest.raises(rpc.RpcError) as caught:
        peer.request("refuse")
    assert (caught.value.number, caught.value.message, caught.value.data) == (4711, "no", {"why": "because"})
    with pytest.raises(rpc.RpcError, match="missing") as caught:
        peer.request("missing")
    assert caught.value.number == -32601
    with pytest.raises(nodechannel.InvalidMessage):
        peer.request("add", {"a": {1}})
    assert peer.request("add", {"a": 1, "b": 1}) == 2


def test_a_request_that_takes_too_long_is_cancelled_there(start):
    peer = start()
    # A request that has not begun is given up without a call.
    assert peer.request("cancelled") == []
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        peer.request("slow", {"name": "late"}, timeout=0.3)
    assert time.monotonic() - begun < 20
    assert peer.request("cancelled") == ["late"]


def test_progress_arrives_before_the_answer(start):
    peer = start()
    seen: list[object] = []
    assert peer.request("report", {}, on_progress=seen.append) == "reported"
    assert seen == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_node_calls_python(start):
    peer = start()

    @peer.method("one")
    def one(params):
        return {"got": params}

    @peer.method("named")
    def named(a, b=2):
        return [a, b]

    @peer.method()
    async def coroutine(params):
        await asyncio.sleep(0)
        return "awaited"

    @peer.method("none")
    def none():
        return None

    @peer.method("raise")
    def fails():
        raise ValueError("python says no")

    @peer.method("own")
    def own():
        raise rpc.RpcError(7, "own code", {"x": 1})

    @peer.method("unsendable")
    def unsendable():
        return {1}

    def callback(method, params=None):
        return peer.request("callback", {"method": method, "params": params})

    assert callback("one", {"a": 1}) == {"value": {"got": {"a": 1}}}
    assert callback("named", {"a": 1}) == {"value": [1, 2]}
    assert callback("named", {"a": 1, "b": 5}) == {"value": [1, 5]}
    assert callback("coroutine", {}) == {"value": "awaited"}
    assert callback("none") == {"value": None}
    failed = callback("raise")
    assert (failed["code"], failed["message"], failed["data"]["name"]) == (
        -32603,
        "python says no",
        "ValueError",
    )
    assert "in fails" in failed["data"]["stack"]
    assert callback("own") == {"code": 7, "message": "own code", "data": {"x": 1}}
    assert callback("unknown")["code"] == -32601
    assert callback("named", {"z": 1})["code"] == -32602
    assert callback("unsendable")["code"] == -32603


def test_node_cancels_a_coroutine(start):
    peer = start()
    seen = []

    @peer.method("wait")
    async def wait(params):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    assert peer.request("cancelMe") == -32800
    assert seen == ["cancelled"]


def test_python_reports_progress(start):
    peer = start()

    @peer.method("work")
    def work(params, *, progress):
        for number in range(3):
            progress({"n": number})
        return "worked"

    assert peer.request("follow") == {"seen": [{"n": 0}, {"n": 1}, {"n": 2}], "answer": "worked"}


def test_many_requests_both_ways_at_once(start):
    peer = start(max_running=8)

    @peer.method("double")
    def double(n):
        return 2 * n

    assert peer.request("flood", {"n": 2000}) == [2 * n for n in range(2000)]


def test_too_many_requests_are_refused(start):
    peer = start(max_running=2, max_waiting=3)
    gate = threading.Event()

    @peer.method("double", threaded=True)
    def double(n):
        gate.wait(20)
        return 2 * n

    @peer.method("open")
    async def open_():
        gate.set()

    assert peer.request("flood", {"n": 50}) == [0, 2, 4, 6, 8] + [-32000] * 45


def test_the_end_of_the_channel_ends_requests(start):
    peer = start()
    with pytest.raises(nodechannel.ChannelClosed):
        peer.request("die")
    with pytest.raises(nodechannel.ChannelClosed):
        peer.request("add", {"a": 1, "b": 1})
    peer.wait_closed()


def test_methods_call_back_while_they_are_called(packages, script):
    program = script("peer.cjs", NODE)
    (program.parent / "node_modules").symlink_to(packages / "node_modules")
    with rpc.fork(program, exec_path=node()) as peer:

        @peer.method("deep")
        def deep(n):
            if n == 0:
                return 0
            answer = peer.request("callback", {"method": "deep", "params": n - 1})
            return answer["value"] + 1

        assert peer.request("callback", {"method": "deep", "params": 20}) == {"value": 20}
        assert peer.remote.add(a=1, b=2) == 3
        assert peer.remote["sum"](1, 2, 3) == 6
        with pytest.raises(TypeError, match="by position or by name"):
            peer.remote.sum(1, b=2)


CHILD = textwrap.dedent("""
    import asyncio
    from nodechannel.rpc.asyncio import connect

    async def main():
        async with await connect() as peer:
            @peer.method()
            async def shout(text):
                return text.upper() + await peer.request("suffix")
            await peer.wait_closed()

    asyncio.run(main())
""")


@pytest.mark.parametrize("front_end", ["blocking", "asyncio"])
def test_python_as_the_child(run_node, front_end):
    child = CHILD
    if front_end == "blocking":
        child = (
            child.replace("import asyncio\n", "")
            .replace("rpc.asyncio", "rpc")
            .replace("asyncio.run(main())", "main()")
        )
        child = child.replace("async ", "").replace("await ", "")
    found = run_node(
        """
        import { spawn } from 'child_process';
        import rpc from 'vscode-jsonrpc/node';
        const process_ = spawn(python, [child], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
        const connection = rpc.createMessageConnection(new rpc.IPCMessageReader(process_), new rpc.IPCMessageWriter(process_));
        connection.onRequest('suffix', () => '!');
        connection.listen();
        const answer = await connection.sendRequest('shout', 'hey');
        process_.on('exit', (code) => done({ answer, code }));
        process_.disconnect();
        """,
        child,
    )
    assert found == {"answer": "HEY!", "code": 0}
