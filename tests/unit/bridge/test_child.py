"""A child that answers each message with its next message."""

from __future__ import annotations

import asyncio

import pytest

from nodechannel import errors
from nodechannel._bridge.child import Child, ChildFailed
from support.answering import COMMAND


def test_a_child_that_ended_is_replaced():
    async def main() -> None:
        child = Child(COMMAND, 20)
        first, second = await child.ask(1), await child.ask(2)
        assert ([first[0], second[0]], first[1] == second[1]) == ([1, 2], True)
        with pytest.raises(ChildFailed, match="gave no answer"):
            await child.ask("die")
        third = await child.ask(3)
        assert third[0] == 3
        assert third[1] != first[1]
        with pytest.raises(errors.InvalidMessage):
            await child.ask({1})
        await child.end()
        await child.end()

    asyncio.run(main())


def test_a_child_that_hangs_has_its_limit():
    async def main() -> None:
        child = Child(COMMAND, 0.2)
        with pytest.raises(ChildFailed, match="in time"):
            await child.ask("hang")
        child.kill()
        await child.end()

    asyncio.run(main())


def test_a_command_that_is_not_there():
    async def main() -> None:
        child = Child(["/absent/command"], None)
        with pytest.raises(FileNotFoundError):
            await child.ask(1)
        await child.end()

    asyncio.run(main())
