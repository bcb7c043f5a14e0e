"""Each value of a message: the definition. The fast path gives the same answers, so each test runs on both."""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, EnumMeta, IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from uuid import UUID

import pytest

from nodechannel._json import writing
from nodechannel.errors import InvalidMessage
from support.codecs import READERS, needs_orjson

if TYPE_CHECKING:
    from collections.abc import Callable

    Decode = Callable[[bytes], Any]
    Encode = Callable[..., bytes]


class Name(str):
    """A str that lies about itself: only its data counts."""

    __slots__ = ()

    def __str__(self) -> str:
        return "lie"


class Count(int):
    def __repr__(self) -> str:
        return "lie"


class Real(float):
    def __repr__(self) -> str:
        return "lie"


class Items(list[Any]):
    def __iter__(self) -> Any:
        return iter(["lie"])


class Members(dict[str, Any]):
    def items(self) -> Any:
        return {"a": "lie"}.items()


class Pair(NamedTuple):
    left: object
    right: object


class Level(IntEnum):
    LOW = 1


class Colour(StrEnum):
    RED = "red"


class Half(float, Enum):
    VALUE = 0.5


class ForeignMeta(EnumMeta):
    """orjson knows no enum of this class; the exact path does."""


class Foreign(Enum, metaclass=ForeignMeta):
    ONE = 1


class Odd(Enum):
    NESTED = ([Colour.RED], {"level": Level.LOW})
    NAN = math.nan
    WRAPPED = Level.LOW
    TWICE = Foreign.ONE


class Renamed(StrEnum):
    """An enum whose data is not its value: the data counts, as in any subclass of str."""

    ONE = "one"

    def __new__(cls, value: str) -> Self:
        member = str.__new__(cls, f"data of {value}")
        member._value_ = value
        return member


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        (None, b"null"),
        (True, b"true"),
        (False, b"false"),
        (5, b"5"),
        (-0.0, b"-0.0"),
        (0.5, b"0.5"),
        (2**53 - 1, b"9007199254740991"),
        (2**53, b"9007199254740992"),
        (-(2**53), b"-9007199254740992"),
        (Count(2**60), b"1152921504606846976"),
        (10**18, b"1000000000000000000"),
        (1152921504606847000, b"1152921504606847000"),  # as JavaScript writes 2**60
        (-9223372036854776000, b"-9223372036854776000"),
        (123456789012345680000, b"123456789012345680000"),
        (-(2**63), b"-9223372036854775808"),
        (2**64 - 2**11, b"18446744073709549568"),
        (10**22, b"10000000000000000000000"),
        (2**1024 - 2**971, str(2**1024 - 2**971).encode()),
        (-(2**53) + 1, b"-9007199254740991"),
        (math.nan, b"null"),
        ([math.inf, -math.inf], b"[null,null]"),
        ("", b'""'),
        ("é\u2028\x7f", '"é\u2028\x7f"'.encode()),
        ("\ufeff", b'"\xef\xbb\xbf"'),
        ('"\\/\b\f\n\r\t\0\x1f', rb'"\"\\/\b\f\n\r\t\u0000\u001f"'),
        ("\ud800", rb'"\ud800"'),
        ({"\udfff": "\udc00é"}, '{"\\udfff":"\\udc00é"}'.encode()),
        ([], b"[]"),
        ({}, b"{}"),
        ((1, (2,)), b"[1,[2]]"),
        ({"b": [1, {"a": None}], "a": 2}, b'{"b":[1,{"a":null}],"a":2}'),
        (OrderedDict(a=1), b'{"a":1}'),
        (defaultdict(int, a=1), b'{"a":1}'),
        (Name("data"), b'"data"'),
        (Count(7), b"7"),
        (Real(0.5), b"0.5"),
        (Real(math.nan), b"null"),
        (Items([1, 2]), b"[1,2]"),
        (Members(a=1), b'{"a":1}'),
        (Pair(1, "x"), b'[1,"x"]'),
        ({Name("data"): 1, Colour.RED: 2}, b'{"data":1,"red":2}'),
        (Level.LOW, b"1"),
        (Colour.RED, b'"red"'),
        (Odd.NESTED, b'[["red"],{"level":1}]'),
        (Odd.NAN, b"null"),
        (Odd.WRAPPED, b"1"),
        (Odd.TWICE, b"1"),
        (Renamed.ONE, b'"data of one"'),
        (Half.VALUE, b"0.5"),
        (Foreign.ONE, b"1"),
        (UUID(int=5), b'"00000000-0000-0000-0000-000000000005"'),
    ],
    ids=lambda part: ascii(part)[:40],
)
def test_a_message_is_written_as(encode: Encode, message: object, frame: bytes) -> None:
    assert encode(message) == frame + b"\n"
    # A lone surrogate beside it sends the same message down the exact path.
    assert encode([message, "\ud800"]) == b"[" + frame + b',"\\ud800"]\n'


@dataclass
class Record:
    field: int = 1


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "bytes is not a type of JSON"),
        (bytearray(), "bytearray is not a type of JSON"),
        ({1}, "set is not a type of JSON"),
        (Record(), "Record is not a type of JSON"),
        (Record, "type is not a type of JSON"),
        (datetime(2024, 1, 1, tzinfo=UTC), "datetime is not a type of JSON"),
        (date(2024, 1, 1), "date is not a type of JSON"),
        (object(), "object is not a type of JSON"),
        (1j, "complex is not a type of JSON"),
        (iter([]), "list_iterator is not a type of JSON"),
        ({"a": [], 1: 2}, "the key 1 is not a str"),
        ({None: 2}, "the key None is not a str"),
        ({Level.LOW: 2}, "the key <Level.LOW: 1> is not a str"),
        ({b"k": 2}, "the key b'k' is not a str"),
        (2**53 + 1, "an integer beyond 2**53 - 1"),
        (-(2**53) - 1, "an integer beyond 2**53 - 1"),
        (Count(2**60 + 1), "an integer beyond 2**53 - 1"),
        (1152921504606847001, "an integer beyond 2**53 - 1"),
        (2**1024, "an integer beyond 2**53 - 1"),
        (10**5000, "an integer beyond 2**53 - 1"),
    ],
    ids=lambda part: part if isinstance(part, str) else "message",
)
@pytest.mark.rule("JSN-003", "JSN-007")
def test_a_message_is_refused(encode: Encode, message: object, reason: str) -> None:
    for wrapped, path in ((message, "$"), ([message], "$[0]"), ({"a": {"b": [0, message]}}, "$.a.b[1]")):
        with pytest.raises(InvalidMessage) as caught:
            encode(wrapped)
        assert caught.value.reason.startswith(reason)
        assert caught.value.path == path


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("name", "$.name"),
        ("$_1", "$.$_1"),
        ("", '$[""]'),
        ("1a", '$["1a"]'),
        ("a b", '$["a b"]'),
        ("é", '$["\\u00e9"]'),
        ("\ud800\n", '$["\\ud800\\n"]'),
        ("x" * 41, '$["' + "x" * 37 + '..."]'),
    ],
    ids=ascii,
)
def test_a_path_names_keys_as_javascript_does(encode: Encode, key: str, path: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        encode({"first": [], key: b""})
    assert caught.value.path == path


def test_the_path_of_a_deep_fault_is_short(encode: Encode) -> None:
    message: object = b""
    for _ in range(25_000):
        message = [message]
    with pytest.raises(InvalidMessage) as caught:
        encode([1, {"a": message}])
    assert caught.value.path == "$[1].a" + "[0]" * 8 + "..." + "[0]" * 10


def test_a_message_that_holds_itself_is_refused(encode: Encode) -> None:
    message: dict[str, Any] = {"a": [1, (2,)]}
    message["a"].append({"back": message})
    with pytest.raises(InvalidMessage, match="it holds itself") as caught:
        encode(message)
    assert caught.value.path == "$.a[2].back"


def test_a_part_that_occurs_twice_is_written_twice(encode: Encode) -> None:
    part = ["\ud800"]
    assert encode([part, {"a": part, "b": part}]) == rb'[["\ud800"],{"a":["\ud800"],"b":["\ud800"]}]' + b"\n"


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**64 - 1, -(2**63), 2**64, -(2**63) - 1, 10**300])
@pytest.mark.rule("JSN-007")
def test_unsafe_integers_are_written_in_full_when_allowed(encode: Encode, number: int) -> None:
    assert encode([number], unsafe_integers=True) == b"[%d]\n" % number


def test_an_integer_that_no_double_can_hold_is_refused_always(encode: Encode) -> None:
    for number in (10**309, -(2**1024), 10**5000):
        with pytest.raises(InvalidMessage, match="an integer that is too large for a double"):
            encode(number, unsafe_integers=True)


def test_a_message_that_v8_cannot_hold_is_refused(encode: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (writing, READERS[-1]):
        monkeypatch.setattr(path, "LONGEST_LINE", 100, raising=False)
    assert encode("x" * 98) == b'"' + b"x" * 98 + b'"\n'
    with pytest.raises(InvalidMessage, match="its 101 bytes are more than Node can read"):
        encode("x" * 99)


@needs_orjson
@pytest.mark.rule("FRM-002")
def test_a_fragment_of_orjson_never_brings_a_line_feed(encode: Encode) -> None:
    import orjson

    assert encode({"a": orjson.Fragment(b'{"b":1}')}) == b'{"a":{"b":1}}\n'
    assert encode({"a": orjson.Fragment('{\n "b": 1\n}\n')}) == b'{"a":{"b":1}}\n'
    assert encode([orjson.Fragment(b"[1]"), "\ud800"]) == b'[[1],"\\ud800"]\n'
    for text in (b"1\n2", "\n\ud800"):
        with pytest.raises(InvalidMessage, match=r"the text of an orjson\.Fragment is not JSON") as caught:
            encode([orjson.Fragment(text)])
        assert caught.value.path == "$[0]"
