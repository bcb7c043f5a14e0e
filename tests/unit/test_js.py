"""The classes for JavaScript's values, without any codec."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest

from nodechannel import js


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


VALUES = [
    js.undefined,
    js.NO_CAUSE,
    js.BigInt(5),
    js.BigInt(-(2**70)),
    js.BigInt(1 << 20_000),
    js.Date(5),
    js.Date(float("nan")),
    js.Date(8.64e15),
    js.RegExp("a+", "ig"),
    js.Boxed(True),
    js.Boxed(1),
    js.Boxed(js.BigInt(1)),
    js.Boxed("x"),
    js.Boxed(float("nan")),
    js.Map(
        [(1, "a"), ("1", "b"), (True, "c"), (js.BigInt(1), "d"), (None, "e"), (js.undefined, 5), ([], {})]
    ),
    js.Set([1, True, "1", js.BigInt(1), [], {}]),
    js.Array([1, 2], {"index": 0}),
    js.SparseArray(5, {0: "a", 3: None}, {"x": 1}),
    js.Error("TypeError", "m", "TypeError: m\n    at f", {"code": 1}),
    js.Error(),
    js.ArrayBuffer(b"abc"),
    js.ArrayBuffer(b"abc", 8),
    *[js.TypedArray(kind, bytes(16)) for kind in js.KINDS],
]
each = pytest.mark.parametrize("value", VALUES, ids=repr)


@each
def test_a_value_is_equal_to_its_copies(value):
    for twin in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert type(twin) is type(value)
        assert twin == value
        assert not (twin != value)  # noqa: SIM202 (both operators are defined)


@each
def test_what_is_printed_can_be_typed(value):
    assert eval(repr(value), {"js": js}) == value


@each
def test_hash_agrees_with_equality_where_there_is_one(value):
    if type(value).__hash__ is not None:
        assert hash(pickle.loads(pickle.dumps(value))) == hash(value)


def test_all_values_differ():
    for one in VALUES:
        assert sum(one == other for other in VALUES if type(other) is type(one)) == 1, one


def test_singletons_stay_single():
    for value in (js.undefined, js.NO_CAUSE):
        assert pickle.loads(pickle.dumps(value)) is copy.deepcopy(value) is value
    assert not js.undefined


def test_a_bigint_is_an_int():
    assert js.BigInt(5) == 5
    assert js.BigInt(5) + 1 == 6
    assert f"{js.BigInt(5)}" == "5"


def test_what_cannot_change_refuses_to():
    for value, name in ((js.RegExp("a"), "source"), (js.Date(1), "milliseconds"), (js.Boxed(1), "value")):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(value, name, 2)


@pytest.mark.parametrize("milliseconds", [float("inf"), float("nan"), 8.64e15 + 1, -9e15])
def test_a_date_outside_of_its_range_is_invalid(milliseconds):
    assert not js.Date(milliseconds).valid
    assert js.Date(milliseconds) == js.Date("nan")


def test_a_date_is_cut_to_milliseconds():
    assert js.Date(-1.7) == js.Date(-1)


@pytest.mark.parametrize("flags", ["x", "gg", "uv"])
def test_flags_that_no_regexp_has(flags):
    with pytest.raises(ValueError, match="flags"):
        js.RegExp("a", flags)


def test_flags_have_one_order():
    assert js.RegExp("a", "yg").flags == "gy"


@pytest.mark.parametrize("value", [None, [], b"x"])
def test_only_primitives_are_boxed(value):
    with pytest.raises(TypeError, match="can be boxed"):
        js.Boxed(value)


# ---- Map and Set ----------------------------------------------------------------------------------------------


def test_primitive_keys_are_compared_as_javascript_does():
    found = js.Map(
        [
            (1, "int"),
            (1.0, "float"),
            (True, "bool"),
            ("1", "str"),
            (float("nan"), 1),
            (float("nan"), 2),
            (0, 0),
            (-0.0, 1),
        ]
    )
    assert found.pairs()[0] == (1, "float")
    assert len(found) == 5
    assert found[float("nan")] == 2
    assert found[0.0] == 1
    assert found[2**80 + 1 - 1 - 2**80 + 1] == "float"


def test_objects_are_keys_by_identity():
    key = [1]
    found = js.Map([(key, "a"), ([1], "b")])
    assert found[key] == "a"
    assert [1] not in found
    with pytest.raises(KeyError):
        found[[1]]
    del found[key]
    assert found == js.Map([([1], "b")])


def test_a_map_keeps_its_order_and_its_first_keys():
    found = js.Map({"b": 1, "a": 2})
    found["b"] = 3
    assert list(found) == ["b", "a"]
    assert found.pop("b") == 3
    assert found != js.Map({"a": 3})


def test_containers_that_hold_themselves():
    found = js.Map()
    found[1] = found
    members = js.Set([1])
    members.add(members)
    sparse = js.SparseArray(2)
    sparse[1] = sparse
    assert repr(found) == "js.Map([(1, js.Map(...))])"
    assert repr(members) == "js.Set([1, js.Set(...)])"
    assert repr(sparse) == "js.SparseArray(2, {1: js.SparseArray(...)})"
    for value in (found, members):
        twin = pickle.loads(pickle.dumps(value))
        assert any(inner is twin for inner in (twin.values() if value is found else twin))


def test_a_set_equals_a_set_of_python():
    assert js.Set([1, "a"]) == {1, "a"}
    assert js.Set([1, True]) != {1}
    members = js.Set([1, 1.0, [], []])
    members.discard(1)
    assert len(members) == 2


def test_bigints_of_one_hash_cost_no_more():
    modulus = 2**61 - 1
    found = js.Map((js.BigInt(modulus * index), index) for index in range(20_000))
    assert found[js.BigInt(modulus * 19_999)] == 19_999


# ---- arrays ---------------------------------------------------------------------------------------------------


def test_an_array_with_properties_is_a_list():
    found = js.Array("ab", {"index": 1})
    assert isinstance(found, list)
    assert found != ["a", "b"]
    assert js.Array("ab") == ["a", "b"]


def test_a_sparse_array():
    found = js.SparseArray(4_000_000_000, {2: "x"})
    assert len(found) == 4_000_000_000
    assert found[0] is js.undefined
    assert found[2] == found[2 - 4_000_000_000] == "x"
    assert found[1:4] == [js.undefined, "x", js.undefined]
    found[4_000_000_005] = 1
    del found[2]
    assert found == js.SparseArray(4_000_000_006, {4_000_000_005: 1})
    assert list(js.SparseArray(3, {1: 1}).holes) == [0, 2]
    for bad in (4_000_000_006, -4_000_000_007):
        with pytest.raises(IndexError):
            found[bad]


@pytest.mark.parametrize(("length", "elements"), [(1, {1: 0}), (2**32, {}), (-1, {}), (3, {-1: 0})])
def test_elements_have_a_place(length, elements):
    with pytest.raises(ValueError, match="no place"):
        js.SparseArray(length, elements)


# ---- errors ---------------------------------------------------------------------------------------------------


def test_an_error_can_be_raised():
    with pytest.raises(js.Error, match="TypeError: bad"):
        raise js.Error("TypeError", "bad")


def test_an_exception_of_python_brings_its_traceback_and_causes():
    with pytest.raises(ValueError, match="bad") as caught:
        try:
            dict[str, int]()["k"]
        except KeyError as error:
            raise ValueError("bad") from error
    found = js.Error.from_exception(caught.value)
    assert (found.name, found.message, found.cause) == ("Error", "bad", js.NO_CAUSE)
    first, call, cause, inner = str(found.stack).splitlines()
    assert first == "ValueError: bad"
    assert call.startswith(
        f"    at {test_an_exception_of_python_brings_its_traceback_and_causes.__name__} ({__file__}:"
    )
    assert cause == "[cause]: KeyError: 'k'"
    assert inner.startswith("    at ")


def test_a_name_that_javascript_has_is_kept():
    assert js.Error.from_exception(raised(TypeError("x"))).name == "TypeError"


# ---- buffers --------------------------------------------------------------------------------------------------


def test_a_typed_array_reads_its_bytes_in_place():
    data = bytearray(bytes(16))
    found = js.TypedArray("Float64Array", data)
    found.view[1] = 1.5  # type: ignore[call-overload]
    assert list(found) == [0, 1.5]
    assert data[8:] == js.TypedArray("Float64Array", data).data[8:]
    assert bytes(found) == bytes(data)
    assert found[1:] == [1.5]


def test_half_floats():
    found = js.TypedArray("Float16Array", b"\x00\x3c\x00\xc0")
    assert found.tolist() == [1.0, -2.0]
    assert found[1] == -2.0
    assert len(found) == 2


def test_bytes_have_to_make_whole_elements():
    with pytest.raises(ValueError, match="whole number"):
        js.TypedArray("Int16Array", b"abc")
    with pytest.raises(ValueError, match="no kind"):
        js.TypedArray("Int15Array", b"")


def test_a_resizable_buffer_has_room_for_what_it_holds():
    with pytest.raises(ValueError, match="max_byte_length"):
        js.ArrayBuffer(b"abc", 2)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="classes export buffers from Python 3.12 on")
def test_a_typed_array_has_the_buffer_protocol():
    assert memoryview(js.TypedArray("Int16Array", b"\x01\x00")).tolist() == [1]


def test_the_classes_are_loaded_without_the_codec():
    program = "import sys, nodechannel.js; print([name for name in sys.modules if '_advanced' in name or 'numpy' in name])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
