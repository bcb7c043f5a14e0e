"""A program that runs with a channel and without, and the errors that name the way to a channel."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
from typing import TYPE_CHECKING

import pytest

import nodechannel
from nodechannel import asyncio as aio
from nodechannel import errors, execa, lsp, pm2, rpc, workers
from nodechannel.execa import asyncio as aio_execa
from nodechannel.pm2 import asyncio as aio_pm2
from nodechannel.rpc import asyncio as aio_rpc

if TYPE_CHECKING:
    from collections.abc import Callable

CHILD = """
import asyncio, sys
import nodechannel, nodechannel.asyncio

async def main():
    channel = await nodechannel.asyncio.connect(optional=True)
    if channel is not None:
        async with channel:
            await channel.send("adopted")

if sys.argv[1] == "asyncio":
    asyncio.run(main())
elif channel := nodechannel.connect(optional=True):
    with channel:
        channel.send("adopted")
"""


@pytest.fixture(params=["blocking", "asyncio"])
def connect(request):
    """Adopt the channel of this process, or return None."""

    def run(**options):
        if request.param == "blocking":
            return nodechannel.connect(**options)
        return asyncio.run(aio.connect(**options))

    return run


@pytest.mark.parametrize("front_end", ["blocking", "asyncio"])
def test_a_channel_that_is_there_is_adopted(api, script_of, front_end):
    with api.spawn(script_of(CHILD, front_end)) as child:
        assert child.receive(timeout=20).data == "adopted"


@pytest.fixture
def script_of(tmp_path):
    def write(source, *args):
        path = tmp_path / "child.py"
        path.write_text(source)
        return [sys.executable, str(path), *args]

    return write


def test_without_a_channel_there_is_none(connect):
    assert connect(optional=True) is None
    assert connect(optional=True, raw=True, end_on_signal=True) is None
    for options in ({}, {"optional": False}):
        with pytest.raises(errors.NoChannel):
            connect(**options)


def test_a_channel_that_is_broken_is_an_error(connect, monkeypatch):
    monkeypatch.setenv("NODE_CHANNEL_FD", "x")
    with pytest.raises(errors.BadChannelFd):
        connect(optional=True)
    assert "NODE_CHANNEL_FD" not in os.environ


CONNECT: dict[str, tuple[Callable[[], object], str]] = {
    "execa": (execa.connect, "`ipc: true`"),
    "execa, asyncio": (aio_execa.connect, "`ipc: true`"),
    "lsp": (lambda: lsp.serve(None), "`transport: TransportKind.ipc`"),  # type: ignore[arg-type]
    "pm2": (pm2.connect, "`interpreter: 'python3'`"),
    "pm2, asyncio": (aio_pm2.connect, "`nodechannel hop --print-path`"),
    "rpc": (rpc.connect, "'ipc' in `stdio`"),
    "rpc, asyncio": (aio_rpc.connect, "'ipc' in `stdio`"),
    "workers": (lambda: workers.serve({}), "`workerType: 'process'`"),
}


@pytest.mark.parametrize("name", CONNECT)
def test_the_error_names_the_option_that_opens_a_channel(name, monkeypatch):
    connect, option = CONNECT[name]

    def attempt():
        result = connect()
        if inspect.iscoroutine(result):
            asyncio.run(result)

    for module in ("multiprocessing.spawn", "__mp_main__"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(errors.NoChannel) as caught:
        attempt()
    assert option in str(caught.value)
    assert option in caught.value.hint
    monkeypatch.setitem(sys.modules, "multiprocessing.spawn", None)
    with pytest.raises(errors.NoChannel, match="started by multiprocessing"):
        attempt()
