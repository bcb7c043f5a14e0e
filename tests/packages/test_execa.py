"""`nodechannel.execa` with the real execa at the far end, in both serializations."""

from __future__ import annotations

import textwrap

import pytest

import nodechannel
from nodechannel import execa
from support.node import node

pytestmark = pytest.mark.package("execa", "either end", "`nodechannel.execa`")

# Programs are written once, as coroutines; the blocking programs are the same without the awaits.
ASYNCIO = (
    "import asyncio\nfrom nodechannel.execa import Cancelled, Deadlock, NotListening\n"
    "from nodechannel.execa.asyncio import connect\n{body}\nasyncio.run(main())\n"
)
BLOCKING = "from nodechannel.execa import Cancelled, Deadlock, NotListening, connect\n{body}\nmain()\n"


@pytest.fixture(params=["advanced", "json"])
def serialization(request):
    """The serialization of the channel; `advanced` is the default of execa."""
    return request.param


@pytest.fixture(params=["blocking", "asyncio"])
def run(request, run_node):
    def start(parent, child, serialization="json"):
        child = textwrap.dedent(child)
        if request.param == "asyncio":
            source = ASYNCIO.format(body=child)
        else:
            source = BLOCKING.format(
                body=child.replace("await asyncio.sleep", "__import__('time').sleep")
                .replace("await ", "")
                .replace("async ", "")
            )
        options = (
            f"{{ ipc: true, serialization: '{serialization}', node: false, stderr: 'inherit', ...extra }}"
        )
        start = (
            f"import {{ execa }} from 'execa'; const start = (extra) => execa(python, [child], {options});\n"
        )
        return run_node(start + textwrap.dedent(parent), source)

    return start


def test_messages_both_ways(run, serialization):
    found = run(
        """
        const subprocess = start();
        const answers = [];
        for (const message of [{ n: 1 }, 'text', null]) {
          await subprocess.sendMessage(message);
          answers.push(await subprocess.getOneMessage());
        }
        subprocess.disconnect();
        const { ipcOutput, exitCode } = await subprocess;
        done({ answers, ipcOutput, exitCode });
        """,
        """
        async def main():
            async with await connect() as ipc:
                async for message in ipc.get_each_message():
                    await ipc.send_message(["got", message])
        """,
        serialization,
    )
    expected = [["got", {"n": 1}], ["got", "text"], ["got", None]]
    assert found == {"answers": expected, "ipcOutput": expected, "exitCode": 0}


def test_a_strict_message_is_acknowledged_by_a_listener(run, serialization):
    found = run(
        """
        const subprocess = start({ buffer: { ipc: false } });
        const first = await subprocess.getOneMessage();
        const rest = [];
        const reading = (async () => { for await (const message of subprocess.getEachMessage()) rest.push(message); })();
        await subprocess.sendMessage('go on');
        await reading;
        await subprocess;
        done({ first, rest });
        """,
        """
        async def main():
            async with await connect() as ipc:
                await ipc.send_message("strict", strict=True)
                await ipc.get_one_message(lambda message: message == "go on")
                await ipc.send_message("the loop hears this", strict=True, timeout=20)
                await ipc.send_message("heard")
        """,
        serialization,
    )
    assert found == {"first": "strict", "rest": ["the loop hears this", "heard"]}


def test_a_strict_message_without_a_listener_fails(run, serialization):
    found = run(
        """
        const subprocess = start({ buffer: { ipc: false } });
        // Nothing listens until the first message has been refused.
        const seen = await new Promise((resolve) => {
          let count = 0;
          subprocess.on('message', (message) => { if (message.type === undefined && ++count) resolve(message); });
        });
        await subprocess;
        done(seen);
        """,
        """
        async def main():
            async with await connect() as ipc:
                try:
                    await ipc.send_message("nobody listens", strict=True, timeout=20)
                except NotListening as error:
                    await ipc.send_message(["refused", str(error)])
        """,
        serialization,
    )
    assert found[0] == "refused"
    assert "getOneMessage()" in found[1]


def test_two_strict_senders_without_listeners_are_a_deadlock(run):
    found = run(
        """
        // execa's own strict sending needs its advanced mode: this is the envelope that it sends.
        import { spawn } from 'child_process';
        const raw = spawn(python, [child], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
        const seen = [];
        raw.on('message', (message) => {
          seen.push(message);
          if (seen.length === 1) raw.send({ id: 0, type: 'execa:ipc:request', message: 'mine', hasListeners: false });
        });
        raw.on('exit', () => done(seen));
        """,
        """
        async def main():
            async with await connect() as ipc:
                try:
                    await ipc.send_message("hers", strict=True, timeout=20)
                except Deadlock:
                    await ipc.send_message("deadlock")
        """,
    )
    assert found[0] == {"id": 0, "type": "execa:ipc:request", "message": "hers", "hasListeners": False}
    assert {"id": 0, "type": "execa:ipc:response", "message": False} in found
    assert found[-1] == "deadlock"


def test_a_strict_message_is_answered_by_whether_python_listens(run):
    found = run(
        """
        import { spawn } from 'child_process';
        import { writeFileSync } from 'fs';
        const raw = spawn(python, [child], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
        const seen = [];
        const strict = (id) => raw.send({ id, type: 'execa:ipc:request', message: { id }, hasListeners: true });
        strict(1);
        raw.on('message', (message) => {
          seen.push(message);
          if (message === 'busy') { strict(2); raw.send('after'); }
          if (message.id === 2) writeFileSync('answered', '');
        });
        raw.on('exit', () => done(seen));
        """,
        """
        async def main():
            async with await connect() as ipc:
                first = await ipc.get_one_message()
                await ipc.send_message("busy")
                while not __import__("os").path.exists("answered"):
                    await asyncio.sleep(0.01)
                await ipc.send_message({"first": first, "second": await ipc.get_one_message()})
        """,
    )
    assert found == [
        {"id": 1, "type": "execa:ipc:response", "message": True},
        "busy",
        {"id": 2, "type": "execa:ipc:response", "message": False},
        {"first": {"id": 1}, "second": "after"},
    ]


def test_graceful_cancel_interrupts_the_program(run):
    found = run(
        """
        // execa allows `gracefulCancel` in its advanced mode only: this is the message that it sends, with the error as an object.
        import { spawn } from 'child_process';
        const raw = spawn(python, [child], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
        const seen = [];
        raw.on('message', (message) => {
          seen.push(message);
          if (message === 'working') raw.send({ type: 'execa:ipc:cancel', message: { message: 'enough' } });
        });
        raw.on('exit', (code) => done({ seen, code }));
        """,
        """
        async def main():
            async with await connect() as ipc:
                try:
                    async with ipc.graceful_cancel():
                        await ipc.send_message("working")
                        await asyncio.sleep(50)
                except Cancelled as error:
                    await ipc.send_message(str(error))
        """,
    )
    assert found == {"seen": ["working", "cancelled by the parent: enough"], "code": 0}


def test_a_strict_message_of_execa_waits_for_a_listener(run):
    found = run(
        """
        import { writeFileSync } from 'fs';
        const subprocess = start();
        await subprocess.sendMessage({ n: 1n }, { strict: true });
        const first = await subprocess.getOneMessage();
        const refused = await outcome(subprocess.sendMessage('busy', { strict: true }));
        writeFileSync('refused', '');
        const { exitCode } = await subprocess;
        done({ first, refused: refused.message, exitCode });
        """,
        """
        async def main():
            async with await connect() as ipc:
                await ipc.send_message(await ipc.get_one_message() == {"n": 1})
                while not __import__("os").path.exists("refused"):
                    await asyncio.sleep(0.01)
        """,
        "advanced",
    )
    assert found == {
        "first": True,
        "refused": "subprocess.sendMessage() failed: the subprocess is not listening to incoming messages.",
        "exitCode": 0,
    }


def test_execa_cancels_with_an_error(run):
    found = run(
        """
        const controller = new AbortController();
        const subprocess = start({ gracefulCancel: true, cancelSignal: controller.signal, reject: false });
        subprocess.on('message', (message) => { if (message === 'working') controller.abort(new RangeError('enough')); });
        const { ipcOutput, isGracefullyCanceled, exitCode } = await subprocess;
        done({ ipcOutput, isGracefullyCanceled, exitCode });
        """,
        """
        async def main():
            async with await connect() as ipc:
                try:
                    async with ipc.graceful_cancel():
                        await ipc.send_message("working")
                        await asyncio.sleep(50)
                except Cancelled as error:
                    await ipc.send_message(str(error))
        """,
        "advanced",
    )
    assert found == {
        "ipcOutput": ["working", "cancelled by the parent: RangeError: enough"],
        "isGracefullyCanceled": True,
        "exitCode": 0,
    }


@pytest.mark.parametrize("leave", [True, False])
def test_python_is_the_parent_of_a_program_with_execa(packages, script, leave):
    program = script(
        "child.mjs",
        """
        import { getEachMessage, getOneMessage, sendMessage } from 'execa';
        await sendMessage(await getOneMessage());
        for await (const message of getEachMessage()) {
          if (message === 'end') break;
          await sendMessage({ each: message });
        }
        """,
    )
    (program.parent / "node_modules").symlink_to(packages / "node_modules")
    with execa.fork(program, exec_path=node()) as ipc:
        ipc.send_message("first", strict=True, timeout=30)
        assert ipc.get_one_message(timeout=30) == "first"
        ipc.send_message("a", strict=True, timeout=30)
        ipc.send_message("b")
        each = ipc.get_each_message()
        assert [next(each), next(each)] == [{"each": "a"}, {"each": "b"}]
        each.close()
        if leave:
            ipc.send_message("end")
            with pytest.raises(nodechannel.ChannelClosed):
                ipc.get_one_message(timeout=30)
