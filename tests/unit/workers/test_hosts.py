"""The messages to Node's workers, and the meaning of theirs."""

from __future__ import annotations

import pytest

from nodechannel._dialects.faults import RemoteException
from nodechannel._workers.hosts import HOSTS, JestWorkerHost, ModuleNotFound, Said, WorkerPoolHost


def test_workerpool_is_told():
    host = WorkerPoolHost("/s.js", [])
    assert (host.program(), host.greeting(), host.greets) == ("/s.js", [], True)
    assert host.call(1, "m", (2,)) == {"id": 1, "method": "m", "params": [2]}
    assert host.cancel(1) == {"id": 1, "method": "__workerpool-cleanup__"}
    assert host.end() == "__workerpool-terminate__"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("ready", Said("ready")), ("odd", None), ({"id": 1, "result": None, "error": None}, Said("result", 1, None)),
        ({"id": 1, "isEvent": True, "payload": 5}, Said("event", 1, 5)),
        ({"id": 1, "method": "__workerpool-cleanup__", "error": None}, Said("cleaned", 1, True)),
        ({"id": 1, "method": "__workerpool-cleanup__", "error": {"name": "E"}}, Said("cleaned", 1, False)),
    ],
)  # fmt: skip
def test_workerpool_is_understood(data, said):
    assert WorkerPoolHost("/s.js", []).understand(data) == said


def test_an_error_of_workerpool_is_an_exception():
    said = WorkerPoolHost("/s.js", []).understand(
        {"id": 1, "error": {"message": "m", "stack": "RangeError: m\n at"}}
    )
    assert said is not None
    assert (said.kind, said.value.name, said.value.message) == ("error", "RangeError", "m")


def test_jest_worker_is_told_and_found(tmp_path):
    script = tmp_path / "a" / "w.js"
    script.parent.mkdir()
    script.write_text("")
    host = JestWorkerHost(str(script), ["x"])
    with pytest.raises(ModuleNotFound, match="npm install jest-worker"):
        host.program()
    child = tmp_path / "node_modules" / "jest-worker" / "build" / "processChild.js"
    child.parent.mkdir(parents=True)
    child.write_text("")
    assert host.program() == str(child)
    assert host.greeting() == [[0, False, str(script), ["x"]]]
    assert (host.call(9, "m", [1]), host.end(), host.cancel(9)) == ([1, False, "m", [1]], [2, False], None)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([0, 5], Said("result", None, 5)), ([0], Said("result", None, None)), ([3, "e"], Said("event", None, "e")),
        ([4, 100], None), ([], None), ("odd", None),
    ],
)  # fmt: skip
def test_jest_worker_is_understood(data, said):
    assert JestWorkerHost("/s.js", []).understand(data) == said


@pytest.mark.parametrize("kind", [1, 2])
def test_an_error_of_jest_worker_is_an_exception(kind):
    said = JestWorkerHost("/s.js", []).understand([kind, "TypeError", "m", "s", {"code": "X"}])
    assert said is not None
    assert isinstance(said.value, RemoteException)
    assert (said.kind, said.value.name, said.value.data) == ("error", "TypeError", {"code": "X"})


@pytest.mark.parametrize(
    ("host", "data", "message"),
    [
        (WorkerPoolHost, {"id": 1, "error": "thrown"}, "thrown"), (WorkerPoolHost, {"id": 1, "error": 5}, "5"),
        (WorkerPoolHost, {"id": 1, "error": {"stack": {}, "name": 3}}, "{'name': 3, 'stack': {}}"),
        (JestWorkerHost, [1, "String", None, None, "thrown"], "thrown"), (JestWorkerHost, [1], "None"),
        (JestWorkerHost, [2, 5, [], {}, 0, 0, 0], "[]"),
    ],
)  # fmt: skip
def test_javascript_may_throw_any_value(host, data, message):
    said = host("/s.js", []).understand(data)
    assert (said.kind, said.value.message) == ("error", message)


def test_a_pool_has_two_kinds():
    assert set(HOSTS) == {"workerpool", "jest-worker"}
