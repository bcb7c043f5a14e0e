"""The messages of JSON-RPC."""

from __future__ import annotations

import copy
import pickle

import pytest

from nodechannel._dialects.faults import RemoteException
from nodechannel._rpc import wire
from nodechannel._rpc.wire import RequestCancelled, RpcError, error_of, failure, token_of


@pytest.mark.parametrize(
    ("params", "sent"), [(None, {}), ({"a": 1}, {"params": {"a": 1}}), ([1], {"params": [1]}), (5, {"params": [5]})]
)  # fmt: skip
def test_a_call_has_parameters_as_a_list_or_an_object(params, sent):
    assert wire.request(7, "m", params) == {"jsonrpc": "2.0", "id": 7, "method": "m", **sent}
    assert wire.notification("m", params) == {"jsonrpc": "2.0", "method": "m", **sent}


def test_an_answer_has_its_result_even_if_it_is_null():
    assert wire.answer("x", None) == {"jsonrpc": "2.0", "id": "x", "result": None}


def test_an_exception_is_an_internal_error_with_its_traceback():
    error = failure(1, ValueError("no"))["error"]
    assert (error["code"], error["message"], error["data"]["name"]) == (-32603, "no", "ValueError")
    assert "ValueError: no" in error["data"]["stack"]
    assert failure(1, ValueError())["error"]["message"] == "ValueError"


def test_an_error_of_a_method_keeps_its_number_and_leaves_data_out():
    assert failure(1, RpcError(4711, "no"))["error"] == {"code": 4711, "message": "no"}
    assert failure(1, RpcError(4711, "no", {"a": 1}))["error"]["data"] == {"a": 1}


def test_an_error_answer_becomes_an_exception():
    found = error_of({"error": {"code": 4711, "message": "no", "data": {"name": "N", "stack": "s"}}})
    assert isinstance(found, RemoteException)
    assert (found.number, found.message, found.name, found.stack) == (4711, "no", "N", "s")
    assert isinstance(error_of({"error": {"code": -32800}}), RequestCancelled)
    assert str(error_of({"error": "odd"})) == "error -32603: odd"
    assert error_of({"result": 1}) is None


def test_the_token_of_progress():
    assert [token_of(params) for params in ({"workDoneToken": 0}, {"partialResultToken": "p"}, {}, [1], None)] == [
        0, "p", None, None, None
    ]  # fmt: skip


def test_the_errors_can_be_pickled_and_copied():
    for error in (RpcError(1, "a", {"b": 2}), RequestCancelled()):
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert (type(twin), twin.number, twin.message, twin.data) == (
                type(error), error.number, error.message, error.data
            )  # fmt: skip
