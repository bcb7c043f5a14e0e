"""Each value of a line and of a message, on both paths."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, EnumMeta, IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from uuid import UUID

import pytest

from nodechannel._json import exact, writing
from nodechannel._json import loader as json
from nodechannel._json.codec import fast_path
from nodechannel.errors import InvalidJson, InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    Decode = Callable[[bytes], Any]
    Encode = Callable[..., bytes]

try:
    from nodechannel._json import fast
except ModuleNotFoundError:
    PATHS: list[Any] = [exact]
else:
    PATHS = [exact, fast]


@pytest.fixture(params=PATHS, ids=lambda path: path.__name__.rpartition(".")[2])
def decode(request: pytest.FixtureRequest) -> Decode:
    path: Any = request.param
    return path.decode  # type: ignore[no-any-return]


@pytest.fixture(params=PATHS, ids=lambda path: path.__name__.rpartition(".")[2])
def encode(request: pytest.FixtureRequest) -> Encode:
    path: Any = request.param
    return path.encode  # type: ignore[no-any-return]


# ---- reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"null", None),
        (b"true", True),
        (b"false", False),
        (b"0", 0),
        (b'""', ""),
        (b"[]", []),
        (b"{}", {}),
        (b'{"a":[1,{"b":null}]}', {"a": [1, {"b": None}]}),
        (b'  {"a" : 1}\t\r', {"a": 1}),
        (b"-0", -0.0),
        (b"-0.0", -0.0),
        (b"[-0]", [-0.0]),
        (b'{"a":-0 }', {"a": -0.0}),
        (b'["2024-01-01",-0.5]', ["2024-01-01", -0.5]),
        (b'"-0"', "-0"),
        (b'[": -0"]', [": -0"]),
        (b"1e2", 100.0),
        (b"1E+2", 100.0),
        (b"5e-324", 5e-324),
        (b"1e-400", 0.0),
        (b"1e400", math.inf),
        (b"-1e400", -math.inf),
        (b"9007199254740993", 9007199254740993),
        (b"9223372036854775808", 2**63),
        (b"18446744073709551615", 2**64 - 1),
        (b"18446744073709551616", 2.0**64),
        (b"99999999999999999999", 1e20),
        (b"-9223372036854775808", -(2**63)),
        (b"-9223372036854775809", -(2.0**63)),
        (b"1" * 400, math.inf),
        (b"-" + b"1" * 5000, -math.inf),
        (rb'"\ud800"', "\ud800"),
        (rb'"\udc00\ud800"', "\udc00\ud800"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'{"\ud800":1}', {"\ud800": 1}),
        (rb'"\"\\\/\b\f\n\r\t\u0000\u00E9"', '"\\/\b\f\n\r\t\0é'),
        ('"\x7f\u2028\u2029\ufeff"'.encode(), "\x7f\u2028\u2029\ufeff"),
        (b'"\xff\xfe"', "\ufffd\ufffd"),
        (b'"\xc0\x80"', "\ufffd\ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd"),
        (b'"\xe2\x82"', "\ufffd"),
        (b'{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
        (b'{"__proto__":{"x":1},"constructor":2}', {"__proto__": {"x": 1}, "constructor": 2}),
    ],
    ids=lambda part: repr(part)[:40],
)
def test_a_line_means(decode: Decode, line: bytes, value: object) -> None:
    found = decode(line)
    # repr tells int from float and -0.0 from 0.0, which == does not.
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b"\t\r",
        b"\xef\xbb\xbf{}",
        b"\xfe\xff\x00{\x00}",
        b"{\x00}\x00",
        b"1\x00",
        b"\x001",
        b"\xc2\xa01",
    ]
    + [
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"undefined",
        b"True",
        b"nul",
        b"truee",
        b"'a'",
        b"{a:1}",
        b"{1:1}",
    ]
    + [b"01", b"-01", b"+1", b".5", b"5.", b"1.e1", b"1e", b"1e+", b"-", b"--1", b"0x10", b"1_0", b"- 1"]
    + [
        "\u0661".encode(),
        b"1 2",
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b'{"a":1,}',
        b'{"a"}',
        b'{"a":}',
        b'{"a" 1}',
        b"{,}",
    ]
    + [
        b"[",
        b"]",
        b"{",
        b"}",
        b'{"a":1',
        b"[1",
        b'"',
        b'"a',
        b'"\\',
        b'"\\u12"',
        rb'"\x41"',
        rb'"\u00 1"',
        b"[]]",
    ]
    + [b'"\x00"', b'"\x01"', b'"\x1f"', b'"\t"', b'"\r"', b'"a\nb"', b"/**/1", b"1//", b"\x0b1", b"\x0c1"]
    + [
        b"[" * 5000,
        b'{"a":' * 5000,
        b"[" * 5000 + b"]" * 4999,
        b"[" * 5000 + b"]" * 5001,
        b"[" * 5000 + b"]" * 4999 + b"}",
    ]
    + [
        b"[" * 5000 + inner + b"]" * 5000
        for inner in (
            b"NaN",
            b"01",
            b"1,",
            b"1 22",
            b'{xa":1}',
            b"trux",
            b'"\t"',
            b'{"a":1,}',
            b"{1:2}",
            b'{"a" 1}',
            b"tru",
        )
    ],
    ids=lambda line: repr(line)[:40],
)
@pytest.mark.rule("JSN-030")
def test_a_line_that_is_not_json_is_refused_whole(decode: Decode, line: bytes) -> None:
    with pytest.raises(InvalidJson) as caught:
        decode(line)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "it is blank"),
        (b" \r", "it is blank"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[1,x]", "Expecting value (character 3)"),
        (b"[" * 3000 + b"x", "Expecting value (character 3000)"),
        (b"1 2", "Extra data (character 2)"),
    ],
    ids=lambda part: repr(part)[:20],
)
def test_the_error_says_what_is_wrong_and_where(decode: Decode, line: bytes, reason: str) -> None:
    with pytest.raises(InvalidJson, match="the peer sent a line that is not JSON: ") as caught:
        decode(line)
    assert reason in str(caught.value)


DEEP = 100_000


def depth_of(value: Any) -> int:
    """Number of containers around the one value inside."""
    depth = 0
    while isinstance(value, dict | list):
        (value,) = value.values() if isinstance(value, dict) else value
        depth += 1
    return depth


@pytest.mark.parametrize(
    ("line", "depth"),
    [
        (b"[" * DEEP + b"1" + b"]" * DEEP, DEEP),
        (b'{"a":' * DEEP + b'"x"' + b"}" * DEEP, DEEP),
        (b' [ { "a" :\t' * (DEEP // 2) + b"null" + b"\r} ]" * (DEEP // 2), DEEP),
    ],
    ids=["arrays", "objects", "both with blanks"],
)
@pytest.mark.rule("JSN-029")
def test_nesting_has_no_limit(decode: Decode, encode: Encode, line: bytes, depth: int) -> None:
    value = decode(line)
    assert depth_of(value) == depth
    compact = line.translate(None, b" \t\r")
    assert encode(value) == compact + b"\n"


def test_deep_values_keep_all_their_members(decode: Decode, encode: Encode) -> None:
    start, end = b'[0,{"a":true,"b":[],"c":{},"d":', b',"e":"\\u20ac"},-0.5]'
    line = start * 2000 + b"1e400" + end * 2000
    value = decode(line)
    for _ in range(2000):
        zero, members, half = value
        assert (zero, half) == (0, -0.5)
        value = members.pop("d")
        assert members == {"a": True, "b": [], "c": {}, "e": "\N{EURO SIGN}"}
    assert value == math.inf


# ---- writing ------------------------------------------------------------------------------------------


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
    """orjson knows no enum of such a class; the exact path does."""


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
    for _ in range(DEEP):
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
    for path in (writing, fast):
        monkeypatch.setattr(path, "LONGEST_LINE", 100, raising=False)
    assert encode("x" * 98) == b'"' + b"x" * 98 + b'"\n'
    with pytest.raises(InvalidMessage, match="its 101 bytes are more than Node can read"):
        encode("x" * 99)


# ---- with and without orjson --------------------------------------------------------------------------

fragments = pytest.mark.skipif(len(PATHS) < 2, reason="orjson is not installed")


@fragments
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


@fragments
def test_with_orjson_the_fast_path_serves() -> None:
    assert json.decode is fast.decode
    assert json.encode is fast.encode
    assert fast_path().startswith("orjson 3.")


@fragments
@pytest.mark.parametrize("line", [b'"2024-01-01"', b"-0.5", b"[-0.0,-0e1]", b'"a-0 b"', b'{"-0":"-0"}'])
def test_text_that_only_resembles_minus_zero_stays_on_the_fast_path(
    monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    def fail(line: bytes) -> None:
        pytest.fail("the exact path was taken")

    expected = exact.decode(line)
    monkeypatch.setattr(exact, "decode", fail)
    assert repr(fast.decode(line)) == repr(expected)


@fragments
def test_ordinary_messages_stay_on_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(message: object, unsafe_integers: bool) -> None:
        pytest.fail("the exact path was taken")

    monkeypatch.setattr(exact, "encode", fail)
    assert (
        fast.encode({"a": [None, True, 1, 0.5, "é\n", (Level.LOW,)]})
        == '{"a":[null,true,1,0.5,"é\\n",[1]]}\n'.encode()
    )
    assert fast.encode(2**64 - 1, unsafe_integers=True) == b"18446744073709551615\n"


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_orjson_the_exact_path_serves_alone() -> None:
    program = """if True:
        import sys
        sys.modules["orjson"] = None
        from nodechannel._json import codec
        from nodechannel._json import exact, writing
        from nodechannel._json.codec import decode, encode, fast_path
        assert encode({"a": (1,)}) == b'{"a":[1]}\\n'
        assert codec.decode is exact.decode and codec.encode is exact.encode
        assert decode(b'[-0]') == [0] and encode({"a": (1,)}) == b'{"a":[1]}\\n'
        print(fast_path())
    """
    assert run(program) == "standard library (orjson is not installed)\n"


# ---- before orjson is there ---------------------------------------------------------------------------


@fragments
@pytest.mark.parametrize(
    ("messages", "loaded"),
    [
        (["ready"], [False]),
        (["ready", "steady"], [False, True]),
        ([1.5], [False]),
        ([[b"no JSON"]], [False]),
    ],
)
def test_the_first_message_does_not_wait_for_orjson(messages: list[object], loaded: list[bool]) -> None:
    program = f"""if True:
        import os, socket, sys
        ours, theirs = socket.socketpair()
        theirs.set_inheritable(True)
        os.environ["NODE_CHANNEL_FD"] = str(theirs.detach())
        import nodechannel
        with nodechannel.connect() as channel:
            for message in {messages!r}:
                try:
                    channel.send(message)
                except nodechannel.InvalidMessage:
                    pass
                print("orjson" in sys.modules)
    """
    assert run(program).split() == list(map(str, loaded))


@fragments
@pytest.mark.parametrize("first", [True, False], ids=["a first message", "a later message"])
def test_a_handler_may_send_while_orjson_is_imported(first: bool) -> None:
    program = f"""if True:
        import sys
        from nodechannel._json import codec
        if not {first}:
            assert codec.encode(0) == b"0\\n"
        found = set()
        def trace(frame, event, argument):
            if frame.f_code.co_name != "handler":
                sys.settrace(None)
                handler()
                sys.settrace(trace)
            return trace
        def handler():
            found.add(codec.encode([1.5, "\\n", {{"a": 2**60}}]))
        sys.settrace(trace)
        codec.encode([])
        codec.encode([])
        sys.settrace(None)
        print(len(found), "orjson" in sys.modules)
    """
    assert run(program).split() == ["1", "True"]


@fragments
def test_a_handler_may_raise_while_orjson_is_imported() -> None:
    program = """if True:
        import sys
        from nodechannel._json import codec
        codec.encode(0)
        class Injection(Exception): pass
        def interrupted(at):
            left = at
            def trace(frame, event, argument):
                nonlocal left
                left -= event == "line"
                if left == 0:
                    left = -1
                    raise Injection
                return trace
            sys.settrace(trace)
            try:
                codec.encode([])
            except Injection:
                return True
            finally:
                sys.settrace(None)
            return False
        at, times = 1, 0
        while interrupted(at):
            at, times = at + 29, times + 1
        assert codec.encode([1, "x"]) == b'[1,"x"]\\n' and codec.decode(b"[1]") == [1]
        print(times > 10, "orjson" in sys.modules)
    """
    assert run(program).split() == ["True", "True"]


def test_a_fork_waits_for_the_import_in_another_thread() -> None:
    program = """if True:
        import os, sys, threading
        from nodechannel._json import codec
        codec.encode(0)
        started = threading.Event()
        def trace(frame, event, argument):
            started.set()
        def load():
            sys.settrace(trace)
            codec.encode([])
        thread = threading.Thread(target=load)
        thread.start()
        started.wait()
        pid = os.fork()
        if pid == 0:
            import signal
            signal.alarm(20)
            codec.encode([1.5]), codec.decode(b"[1.5]")
            os._exit(0)
        thread.join()
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    assert run(program).split() == ["0"]
