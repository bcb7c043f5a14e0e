"""tsserver's own protocol, spoken by a script by hand. The real tsserver is in `tests/packages/test_lsp.py`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nodechannel._dialects.faults import RemoteException
from nodechannel._lsp.tsserver import TsServer, start_tsserver
from nodechannel.errors import ChannelClosed
from support.node import node

SERVER = """
let opened = [];
process.on('message', (m) => {
  const answer = (success, body, message) => process.send(
    { seq: 0, type: 'response', request_seq: m.seq, command: m.command, success, body, message });
  if (m.command === 'open') { opened.push(m.arguments.file); process.send({ type: 'event', event: 'opened', body: m.arguments.file }); }
  else if (m.command === 'files') answer(true, [process.argv[2], ...opened]);
  else if (m.command === 'odd') {
    process.send({ type: 'response', request_seq: [], success: true });
    process.send({ type: 'response', request_seq: {}, success: false });
    answer(true, 'even');
  } else if (m.command === 'bad') answer(false, undefined, 'No Project.');
  else if (m.command === 'exit') process.exit(0);
});
"""


def run(tmp_path: Any, scenario: Any, on_event: Any = None) -> None:
    script = tmp_path / "tsserver.js"
    script.write_text(SERVER)

    async def main() -> None:
        events: list[Any] = []

        def note(name: str, body: Any) -> None:
            events.append((name, body))

        server = await start_tsserver(str(script), on_event=on_event or note, exec_path=node())
        async with server:
            await asyncio.wait_for(scenario(server, events), 30)

    asyncio.run(main())


def test_commands_answers_and_events(tmp_path):
    async def scenario(server: TsServer, events: list[Any]) -> None:
        await server.notify("open", file="a.ts")
        assert await server.request("files", timeout=20) == ["--useNodeIpc", "a.ts"]
        assert events == [("opened", "a.ts")]

    run(tmp_path, scenario)


def test_a_failed_command_is_an_exception(tmp_path):
    async def scenario(server: TsServer, _events: list[Any]) -> None:
        with pytest.raises(RemoteException, match=r"bad: No Project\."):
            await server.request("bad", timeout=20)
        with pytest.raises(TimeoutError):
            await server.request("no answer", timeout=0.05)

    run(tmp_path, scenario)


def test_a_listener_that_fails_and_odd_answers_do_not_end_the_conversation(tmp_path):
    async def scenario(server: TsServer, _events: list[Any]) -> None:
        failed: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: failed.append(str(context["exception"]))
        )
        await server.notify("open", file="a.ts")
        assert await server.request("odd", timeout=20) == "even"
        assert failed == ["this listener fails"]

    def refuse(_name: str, _body: Any) -> None:
        raise ValueError("this listener fails")

    run(tmp_path, scenario, refuse)


def test_the_end_of_the_server_ends_what_waits(tmp_path):
    async def scenario(server: TsServer, _events: list[Any]) -> None:
        waiting = asyncio.create_task(server.request("no answer"))
        await asyncio.sleep(0)
        await server.notify("exit")
        with pytest.raises(ChannelClosed):
            await waiting

    run(tmp_path, scenario)
