"""`nodechannel.rpc` in the dialect of birpc, with the real package at the other end."""

from __future__ import annotations

import asyncio

import pytest

from nodechannel import js, rpc
from nodechannel.rpc import asyncio as aio
from support.node import node

pytestmark = pytest.mark.package("birpc", "either end", "`nodechannel.rpc`")

PEER = """
    import { createBirpc } from 'birpc';
    const noted = [];
    const settled = (promise) => promise.then((value) => ({ value }), ({ name, message, stack }) => ({ name, message, stack }));
    const functions = {
      add: (a, b) => a + b,
      nothing: () => undefined,
      fail: () => { throw new RangeError('odd'); },
      note: (value) => { noted.push(value); },
      noted: () => noted,
      slow: () => new Promise(() => {}),
      calls: async () => ({
        shout: await peer.shout('hey'),
        fail: await settled(peer.fail()),
        missing: await settled(peer.missing()),
        optional: await peer.$callOptional('missing'),
        told: await peer.tell.asEvent('event').then(() => peer.told()),
      }),
    };
    const peer = createBirpc(functions, {
      post: (data) => process.send(data),
      on: (listener) => process.on('message', listener),
    });
    process.on('disconnect', () => process.exit(0));
"""

CHILD_STARTED = """
    import { fork } from 'child_process';
    const sub = fork(child, { execPath: python, execArgv: [], serialization: 'advanced' });
"""


@pytest.fixture
def program(packages, script):
    path = script("peer.mjs", PEER)
    (path.parent / "node_modules").symlink_to(packages / "node_modules")
    return path


@pytest.fixture(params=["json", "advanced"])
def options(request):
    return {"dialect": "birpc", "serialization": request.param, "exec_path": node()}


def register(method):
    told = []

    @method()
    def shout(text):
        return text.upper()

    @method()
    def fail():
        raise ValueError("even")

    @method()
    def tell(text):
        told.append(text)

    @method("told")
    def what_was_told():
        return told


def check_calls(found):
    fail = found["fail"]
    assert (found["shout"], found["optional"], found["told"]) == ("HEY", None, ["event"])
    # The names of Errors that V8 carries are JavaScript's own.
    assert (fail["name"], fail["message"]) in (("ValueError", "even"), ("Error", "ValueError: even"))
    assert 'raise ValueError("even")' in fail["stack"]
    assert "missing" in found["missing"]["message"]


def test_blocking(program, options):
    with rpc.fork(program, **options) as peer:
        register(peer.method)
        assert peer.request("add", [2, 3]) == 5
        assert peer.remote.add("a", "b") == "ab"
        assert peer.request("nothing") in (None, js.undefined)
        peer.notify("note", {"n": 1})
        assert peer.request("noted") == [{"n": 1}]
        if options["serialization"] == "advanced":
            with pytest.raises(rpc.RpcError, match="odd") as caught:
                peer.request("fail")
            assert (caught.value.name, caught.value.message) == ("RangeError", "odd")
            assert "peer.mjs" in caught.value.stack
        check_calls(peer.request("calls"))
        with pytest.raises(TimeoutError):
            peer.request("slow", timeout=0.2)
        assert peer.remote.add(1, 1) == 2


def test_asyncio(program, options):
    async def main():
        async with await aio.fork(program, **options) as peer:
            register(peer.method)
            check_calls(await peer.request("calls"))
            assert await asyncio.gather(*(peer.remote.add(n, n) for n in range(100))) == [
                2 * n for n in range(100)
            ]

    asyncio.run(main())


def test_python_as_the_child(run_node):
    found = run_node(
        CHILD_STARTED
        + PEER.replace("process.on('disconnect', () => process.exit(0));", "").replace("process", "sub")
        + "    done({ calls: await functions.calls(), noted }); sub.disconnect();\n",
        """
        from nodechannel import rpc

        with rpc.connect(dialect="birpc") as peer:
            told = []

            @peer.method()
            def shout(text):
                peer.notify("note", [text])
                return text.upper()

            @peer.method()
            def fail():
                raise ValueError("even")

            peer.method("tell")(told.append)
            peer.method("told")(lambda: told)
            peer.wait_closed()
        """,
    )
    check_calls(found["calls"])
    assert found["noted"] == ["hey"]


def test_an_unknown_dialect_is_refused(program):
    with pytest.raises(ValueError, match="'json-rpc' and 'birpc' are known"):
        rpc.fork(program, dialect="xml", exec_path=node())
