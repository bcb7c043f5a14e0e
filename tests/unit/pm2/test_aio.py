"""The asyncio `App` at a real channel; the test stands for PM2's daemon. The real daemon is in `tests/packages`."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel.asyncio
from nodechannel._pm2 import aio
from nodechannel._pm2.aio import App
from nodechannel._pm2.messages import UnsafeForPM2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def run(scenario: Callable[[App, nodechannel.asyncio.Channel], Awaitable[None]]) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        async with (
            nodechannel.asyncio.Channel(theirs) as daemon,
            App(nodechannel.asyncio.Channel(ours)) as app,
        ):
            assert (await daemon.receive(20)).data["node_version"].startswith("Python")
            await asyncio.wait_for(scenario(app, daemon), 30)

    asyncio.run(main())


def test_the_words_of_the_program():
    async def scenario(app: App, daemon: nodechannel.asyncio.Channel) -> None:
        await app.ready()
        await app.event("n", a=1)
        await app.publish("t", 5)
        await app.send("x")
        with pytest.raises(UnsafeForPM2):
            await app.send(None)
        found = [(await daemon.receive(20)).data for _ in range(4)]
        assert found[0] == "ready"
        assert found[1]["data"] == {"a": 1, "__name": "n"}
        assert found[2:] == [{"type": "t", "data": 5}, "x"]

    run(scenario)


def test_an_action_is_called_and_other_messages_are_iterated():
    async def scenario(app: App, daemon: nodechannel.asyncio.Channel) -> None:
        @app.action("double")
        async def double(value: int) -> int:
            return 2 * value

        assert (await daemon.receive(20)).data["type"] == "axm:action"
        await daemon.send({"msg": "double", "opts": 21})
        assert (await daemon.receive(20)).data["data"]["return"] == 42
        await daemon.send("for the program")
        await daemon.send("shutdown")
        assert [message.data async for message in app] == ["for the program"]
        assert app.stopping

    run(scenario)


def test_metrics_are_reported_each_interval(monkeypatch):
    monkeypatch.setattr(aio, "INTERVAL", 0.02)

    async def scenario(app: App, daemon: nodechannel.asyncio.Channel) -> None:
        def fails() -> Any:
            raise ValueError("no")

        app.metric("good", 1)
        app.metric("bad", fails)
        found: dict[str, Any] = {}
        while set(found) != {"axm:monitor", "process:exception"}:
            data = (await daemon.receive(20)).data
            found[data["type"]] = data["data"]
        assert found["axm:monitor"]["good"]["value"] == 1
        assert found["process:exception"]["metadata"] == {"metric": "bad"}

    run(scenario)


def test_the_end_of_the_daemon_ends_the_program():
    async def scenario(app: App, daemon: nodechannel.asyncio.Channel) -> None:
        daemon.close()
        await app.wait()

    run(scenario)
