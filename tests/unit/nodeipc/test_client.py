"""A client: its tries to connect, its news, and bad frames."""

from __future__ import annotations

import asyncio

import pytest

from nodechannel import errors, nodeipc
from nodechannel.nodeipc import asyncio as aio
from support.nodeipc import frame


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "s")


@pytest.mark.rule("NIP-050")
def test_events_that_wait_leave_over_the_next_connection(path):
    with nodeipc.serve(path=path) as server:
        client = nodeipc.connect(path=path, lifecycle=True, retry=0.02)
        assert client.receive(timeout=20).type == "connect"
        assert server.address == path
    with client:
        assert client.receive(timeout=20).type == "disconnect"
        with pytest.raises(errors.SendTimeout):
            client.send("late", 1, timeout=0)
        with nodeipc.serve(path=path) as server:
            assert server.receive(timeout=20).data == 1
            assert client.receive(timeout=20).type == "connect"


def test_a_cancelled_connect_leaves_no_client(path):
    async def main() -> None:
        task = asyncio.ensure_future(aio.connect(path=path, retry=0.01, timeout=None))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


@pytest.mark.rule("NIP-011")
def test_a_bad_frame_is_an_error_in_its_place_for_a_client(path):
    with nodeipc.serve(path=path, raw=True) as server, nodeipc.connect(path=path) as client:
        client.send("hello", None)
        server.receive(timeout=20).peer.send(frame("a", 1) + b"stray\f" + frame("b", 2))
        assert client.receive(timeout=20).data == 1
        with pytest.raises(errors.InvalidJson, match="stray"):
            client.receive(timeout=20)
        assert client.receive(timeout=20).data == 2


def test_a_server_that_does_not_answer(path):
    with pytest.raises(TimeoutError, match="no server answered at"):
        nodeipc.connect(path=path, timeout=0.2, retry=0.05)
    with pytest.raises(FileNotFoundError):
        nodeipc.connect(path=path, max_retries=1, retry=0.01)
