"""The rules of npm `rsmq`: names, limits, sizes, ids."""

from __future__ import annotations

import pytest

from nodechannel._rsmq import rules


@pytest.mark.parametrize("name", ["a", "A-b_9", "x" * 160])
@pytest.mark.rule("RSM-001")
def test_a_name_of_a_queue(name):
    assert rules.check_queue(name) == name


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: rules.check_queue("a b"), "invalidFormat"),
        (lambda: rules.check_queue("x" * 161), "invalidFormat"),
        (lambda: rules.check_id("x" * 31), "invalidFormat"),
        (lambda: rules.check_seconds("vt", -1), "invalidValue"),
        (lambda: rules.check_seconds("vt", 10_000_000), "invalidValue"),
        (lambda: rules.check_seconds("vt", True), "invalidValue"),
        (lambda: rules.check_maxsize(1023), "invalidValue"),
        (lambda: rules.check_maxsize(65537), "invalidValue"),
        (lambda: rules.size_of(b"x"), "messageNotString"),
    ],
)
@pytest.mark.rule("RSM-001", "RSM-002", "RSM-003", "RSM-004")
def test_a_value_beyond_a_limit_has_the_name_that_rsmq_gives_it(call, name):
    with pytest.raises(rules.QueueError) as error:
        call()
    assert error.value.name == name


def test_the_limits_themselves_are_allowed():
    assert [rules.check_seconds("delay", value) for value in (0, 9999999)] == [0, 9999999]
    assert [rules.check_maxsize(value) for value in (-1, 1024, 65536)] == [-1, 1024, 65536]


@pytest.mark.parametrize(("text", "units"), [("", 0), ("é", 1), ("😀", 2), ("a\ud800", 2)])
def test_sizes_are_those_of_javascript(text, units):
    assert rules.size_of(text) == units


def test_an_id_tells_when_its_message_was_sent():
    id = "g" + "0" * 9 + rules.random_part()
    assert rules.check_id(id) == id
    assert rules.sent_at(id) == 16 * 36**9 / 1000
    assert rules.random_part() != rules.random_part()
    assert rules.bytes_of("a\ud800b") == "a\ufffdb".encode()
