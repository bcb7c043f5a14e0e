"""What a program registers with PM2, and which message calls it."""

from __future__ import annotations

from typing import Any

import pytest

from nodechannel._pm2.registry import Registry


class Program(Registry):
    """Keeps the announcements."""

    def __init__(self) -> None:
        super().__init__()
        self.announced: list[dict[str, Any]] = []

    def _announce(self, message: dict[str, Any]) -> None:
        self.announced.append(message["data"])


@pytest.fixture
def program():
    made = Program()

    @made.action("reload", comment="again")
    def reload(path: str) -> str:
        return path

    @made.action("km:heap")
    def heap() -> None:
        pass

    @made.action("follow")
    def follow() -> Any:
        yield 1

    @made.topic("news")
    def news(data: object) -> None:
        pass

    return made


def test_each_action_is_announced_with_its_kind_and_its_arguments(program):
    assert program.announced == [
        {"action_name": "reload", "action_type": "custom", "arity": 2, "opts": {"comment": "again"}},
        {"action_name": "km:heap", "action_type": "internal", "arity": 1},
        {"action_name": "follow", "action_type": "scoped", "arity": 1},
    ]


@pytest.mark.parametrize(
    ("data", "called"),
    [
        ("reload", ("reload", (None,), None)),
        ({"msg": "reload", "opts": "x"}, ("reload", ("x",), None)),
        ({"action_name": "follow", "uuid": "u"}, ("follow", (), "u")),
        ({"msg": "follow", "uuid": 5}, ("follow", (), None)),
        ({"msg": "absent"}, None), ("absent", None), (5, None), ({"msg": ["reload"]}, None),
    ],
)  # fmt: skip
def test_which_message_calls_which_action(program, data, called):
    found = program._called(data)
    assert called == (None if found is None else (found.action.name, found.args, found.uuid))


def test_a_topic_needs_data(program):
    assert program._subscriber({"topic": "news", "data": None}).__name__ == "news"
    for data in ({"topic": "news"}, {"topic": "other", "data": 1}, {"topic": ["news"], "data": 1}, "news"):
        assert program._subscriber(data) is None


def test_metrics_of_each_kind_are_shown(program):
    gauge = program.metric("g", 1, unit="ms")
    program.metric("f", lambda: "x")
    counter, meter, histogram = program.counter("c"), program.meter("m"), program.histogram("h", "max")
    gauge.set(5)
    counter.inc()
    meter.mark()
    histogram.update(7)
    found = program._metrics.read(print)
    assert {name: shown["value"] for name, shown in found.items()} == {
        "g": 5,
        "f": "x",
        "c": 1,
        "m": 0.0,
        "h": 7,
    }
