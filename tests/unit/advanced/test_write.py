"""The bytes of values, and values that are refused. `tests/interop/test_advanced.py` shows how Node reads them."""

from __future__ import annotations

import array
import ctypes
import datetime as dt
import enum
import sys
import threading
import tracemalloc
import uuid

import pytest

from nodechannel import js
from nodechannel._advanced import fastwrite
from nodechannel._advanced.decode import decode
from nodechannel._advanced.encode import encode
from nodechannel._advanced.write import DEEPEST, write
from nodechannel.errors import InvalidMessage
from unit.advanced.test_read import frame


class Colour(enum.Enum):
    RED = "red"
    LIST = [1]  # noqa: RUF012 (a value that is a list)


class Level(enum.IntEnum):
    LOW = 1


class Words(str):
    __slots__ = ()


class Record(dict):  # type: ignore[type-arg]
    pass


def there_and_back(value: object, **options: object) -> object:
    return decode(encode(value, **options)[4:])  # type: ignore[arg-type]


ROWS = [
    (None, "'0'"),
    (True, "'T'"),
    (js.undefined, "5f"),
    (0, "'I' 00"),
    (-1, "'I' 01"),
    (63, "'I' 7e"),
    (1023, "'I' fe0f"),
    (1024, "'I' 8010"),
    (2**31 - 1, "'I' feffffff0f"),
    (-(2**31), "'I' ffffffff0f"),
    (2**31, "'N' 000000000000e041"),
    (2**53 - 1, "'N' ffffffffffff3f43"),
    (2**53, "'Z' 10 0000000000002000"),
    (-(2**64), "'Z' 21 0000000000000000 0100000000000000"),
    (js.BigInt(0), "'Z' 00"),
    (1.0, "'N' 000000000000f03f"),
    (-0.0, "'N' 0000000000000080"),
    ("", "22 00"),
    ("aé", "22 02 'a' e9"),
    ("€", "'c' 02 ac20"),
    ("a€", "'c' 04 6100 ac20"),
    (["€"], "'A' 01 'c' 02 ac20 24 00 01"),
    ({"a": "€"}, "'o' 22 01 'a' 'c' 02 ac20 7b 01"),
    ({"ab": "€"}, "'o' 22 02 'ab' 00 'c' 02 ac20 7b 01"),
    ({"1": "x", "01": 1, "4294967294": 2, "4294967295": 3},
     "'o' 'I' 02 22 01 'x' 22 02 '01' 'I' 02 'N' 0000c0ffffffef41 'I' 04 22 0a '4294967295' 'I' 06 7b 04"),
    ((1, [2]), "'A' 02 'I' 02 'A' 01 'I' 04 24 00 01 24 00 02"),
    (js.Array([1], {"x": 2}), "'A' 01 'I' 02 22 01 'x' 'I' 04 24 01 01"),
    (js.SparseArray(3, {1: 2}, {"x": 3}), "'a' 03 'I' 02 'I' 04 22 01 'x' 'I' 06 40 02 03"),
    (js.Map([(1, 2), ("a", {})]), "3b 'I' 02 'I' 04 22 01 'a' 'o' 7b 00 3a 04"),
    ({1}, "27 'I' 02 2c 01"),
    (frozenset([1]), "27 'I' 02 2c 01"),
    (js.Set([1, True]), "27 'I' 02 'T' 2c 02"),
    (js.Error("TypeError", "m", "S", 1), "'r' 'T' 'm' 22 01 'm' 's' 22 01 'S' 'c' 'I' 02 2e"),
    (js.Error("Odd", None, None), "'r' 2e"),
    (js.RegExp("a", "dg"), "'R' 22 01 'a' 8101"),
    (js.Date("nan"), "'D' 000000000000f87f"),
    (dt.datetime(1970, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))), "'D' 0000000000000000"),
    (js.Boxed(True), "'y'"),
    (js.Boxed(1), "'n' 000000000000f03f"),
    (js.Boxed(2**60), "'z' 10 0000000000000010"),
    (js.Boxed("a"), "'s' 22 01 'a'"),
    (b"ab", "5c 00 0a 02 'ab'"),
    (bytearray(b"ab"), "5c 00 01 02 'ab'"),
    (memoryview(b"abcd")[::2], "5c 00 01 02 'ac'"),
    (js.ArrayBuffer(b"ab"), "'B' 02 'ab'"),
    (js.ArrayBuffer(b"ab", 4), "7e 02 04 'ab'"),
    (js.TypedArray("DataView", b"ab"), "5c 00 09 02 'ab'"),
    (array.array("d", [1.0]), "5c 00 08 08 000000000000f03f"),
    (array.array("l", [1]), "5c 00 0b 08 0100000000000000"),
    (Colour.RED, "22 03 'red'"),
    (Colour.LIST, "'A' 01 'I' 02 24 00 01"),
    (Level.LOW, "'I' 02"),
    (Words("a"), "22 01 'a'"),
    (Record(a=1), "'o' 22 01 'a' 'I' 02 7b 01"),
    (uuid.UUID(int=0), "22 24 '00000000-0000-0000-0000-000000000000'"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), ROWS, ids=[row[1] for row in ROWS])
def test_a_value_is_written_as(value, text):
    expected = frame(text)
    for found in (encode(value), write(value)):
        assert found[4:] == expected
        assert int.from_bytes(found[:4]) == len(expected)


@pytest.mark.parametrize(("value", "text"), ROWS, ids=[row[1] for row in ROWS])
def test_the_fast_path_agrees_or_declines(value, text):
    try:
        found = fastwrite.write(value)
    except fastwrite.FAILURES:
        return
    assert found[4:] == frame(text)


def test_names_are_remembered_and_stay_right():
    for index in range(3000):
        message = {f"name {index}": index, "kept": 1, "n€": 2, str(index): 3}
        assert there_and_back(message) == message
        assert encode(message) == write(message)


@pytest.mark.rule("ADV-031")
def test_identity_is_kept():
    one, two = {"a": 1}, b"abc"
    cycle: list[object] = [one, one, two, two]
    cycle.append(cycle)
    found = there_and_back(cycle)
    assert isinstance(found, list)
    assert found[0] is found[1]
    assert found[2] is found[3]
    assert found[4] is found


# ---- refusals -------------------------------------------------------------------------------------------------

REFUSED = [
    (
        {"a": [{"b": object()}]},
        r"object is no type of JavaScript \(default= can translate it\) at \$\.a\[0\]\.b",
    ),
    ({"a": {1: 2}}, r"the key 1 is not a str \(js\.Map takes any key\) at \$\.a"),
    ([dt.datetime(2020, 1, 1)], r"without a time zone .* at \$\[0\]"),  # noqa: DTZ001 (the point of the test)
    ([1 << 2**30], r"an integer of 1073741825 bits"),
    ([memoryview(bytes(4)).cast("B", (2, 2))], r"2 dimensions"),
    ([(ctypes.c_wchar * 2)("a", "b")], r"is no typed array"),
    (js.Map([(1, object())]), r'object is no type of JavaScript .* at \$\["<value 0>"\]'),
    (js.Error("Error", "m", None, [object()]), r"at \$\.cause\[0\]"),
    ({"a": dt.date(2020, 1, 1)}, r"date is no type of JavaScript"),
]


@pytest.mark.rule("ADV-002")
@pytest.mark.parametrize(("value", "reason"), REFUSED, ids=[row[1] for row in REFUSED])
def test_a_refusal_names_type_and_path(value, reason):
    with pytest.raises(InvalidMessage, match=reason):
        encode(value)


@pytest.mark.rule("ADV-028")
def test_what_node_could_not_read_is_not_written():
    def nested(levels: int) -> list[object]:
        found: list[object] = []
        for _ in range(levels - 1):
            found = [found]
        return found

    assert encode(nested(DEEPEST))
    for levels in (DEEPEST + 1, 100_000):
        with pytest.raises(InvalidMessage, match="1000 levels"):
            encode(nested(levels))


def test_a_low_recursion_limit_changes_nothing():
    value: object = None
    for _ in range(400):
        value = {"a": [value]}

    def deep(frames: int) -> bytes:
        return deep(frames - 1) if frames else encode(value)

    expected = encode(value)
    left = sys.getrecursionlimit() - len(__import__("inspect").stack(0))
    assert deep(left - 60) == expected


# ---- default --------------------------------------------------------------------------------------------------


def test_default_translates_what_is_unknown():
    value = complex(1, 2)
    seen: list[object] = []

    def default(unknown: object) -> object:
        seen.append(unknown)
        return {"real": 1, "extra": Colour.RED}

    found = there_and_back({"a": value, "b": [value]}, default=default)
    assert found == {"a": {"real": 1, "extra": "red"}, "b": [{"real": 1, "extra": "red"}]}
    assert seen == [value]
    assert isinstance(found, dict)
    assert found["a"] is found["b"][0]


def test_default_may_need_itself():
    assert (
        there_and_back(
            complex(1, 2), default=lambda v: str(v) if isinstance(v, bytes | dt.date) else dt.date(2020, 1, 1)
        )
        == "2020-01-01"
    )


@pytest.mark.parametrize("default", [lambda value: value, lambda value: [object()]])
def test_default_that_never_ends(default):
    with pytest.raises(InvalidMessage, match="1000 levels"):
        encode([object()], default)


def test_what_default_raises_is_the_callers():
    def default(_: object) -> object:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        encode([object()], default)


def test_what_default_returns_is_kept_while_it_is_referred_to():
    """An object that was freed would leave its identity to the next."""
    found = there_and_back([complex(index) for index in range(100)], default=lambda value: [int(value.real)])
    assert found == [[index] for index in range(100)]


# ---- memory and threads ---------------------------------------------------------------------------------------


def test_bytes_are_copied_once():
    data = bytes(1 << 22)
    tracemalloc.start()
    found = encode({"data": data})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) > 1 << 22
    assert peak < 1.1 * (1 << 22)


def test_a_list_that_another_thread_changes_is_whole_or_refused():
    shared: list[object] = []
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            shared.extend([1, "a", {}] * 50)
            shared.clear()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(2000):
            there_and_back([shared, {"k": shared}])
    finally:
        done.set()
        thread.join()
