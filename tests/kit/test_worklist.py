"""Work that several threads take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelkit.judge.subjects import Description
from channelkit.judge.worklist import Work, WorkList
from support.kit import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator

WORK = Work((CASES["sample-echo"],), Description("one", "child", 0, ("true",), "--child true"))


def taken(todo: WorkList) -> Iterator[Work]:
    for work in todo:
        yield work
        todo.done()


def test_work_is_taken_until_none_is_left_or_under_way() -> None:
    todo = WorkList([WORK, WORK])
    assert next(iter(todo)) is WORK
    todo.done([WORK])
    assert len(list(taken(todo))) == 2


def test_a_list_that_is_closed_while_work_is_under_way_ends() -> None:
    todo = WorkList([WORK, WORK])
    assert next(iter(todo)) is WORK
    todo.close()
    todo.done()
    assert list(todo) == []
