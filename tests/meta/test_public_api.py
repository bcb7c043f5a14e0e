"""The public API, as the tools of its users see it: an editor, `dir`, `help`, `pickle` and `typing.get_type_hints`."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pickle
import pkgutil
import subprocess
import sys
import textwrap
import types
import typing
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel
from nodechannel._start.options import SpawnOptions
from support.node import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# The public modules, each with its public submodules.
MODULES = {
    "nodechannel": {
        "asyncio",
        "cluster",
        "errors",
        "execa",
        "hop",
        "js",
        "lsp",
        "nest",
        "nodeipc",
        "pm2",
        "redis",
        "rpc",
        "rsmq",
        "stdio",
        "workers",
    },
    "nodechannel.asyncio": set(),
    "nodechannel.cluster": {"asyncio"},
    "nodechannel.cluster.asyncio": set(),
    "nodechannel.execa": {"asyncio"},
    "nodechannel.execa.asyncio": set(),
    "nodechannel.lsp": {"asyncio"},
    "nodechannel.lsp.asyncio": set(),
    "nodechannel.nest": {"asyncio"},
    "nodechannel.nest.asyncio": set(),
    "nodechannel.nodeipc": {"asyncio"},
    "nodechannel.nodeipc.asyncio": set(),
    "nodechannel.pm2": {"asyncio"},
    "nodechannel.pm2.asyncio": set(),
    "nodechannel.redis": {"asyncio"},
    "nodechannel.redis.asyncio": set(),
    "nodechannel.rsmq": {"asyncio"},
    "nodechannel.rsmq.asyncio": set(),
    "nodechannel.rpc": {"asyncio"},
    "nodechannel.rpc.asyncio": set(),
    "nodechannel.stdio": {"asyncio"},
    "nodechannel.stdio.asyncio": set(),
    "nodechannel.workers": {"asyncio"},
    "nodechannel.workers.asyncio": set(),
}

# Every class of `nodechannel.errors` is a public name of `nodechannel` too; `test_imports.py` holds that.
HOMES = (*MODULES, "nodechannel.errors")


def public_names(module: str) -> set[str]:
    return {*importlib.import_module(module).__all__, *MODULES[module]}


def functions(module: str) -> Iterator[tuple[str, Any]]:
    """Yield the public functions of a module, and the public and special methods and properties of its public classes."""
    for name in importlib.import_module(module).__all__:
        value = getattr(importlib.import_module(module), name)
        if inspect.isfunction(value):
            yield name, value
        elif inspect.isclass(value):
            ours = [base for base in value.__mro__ if base.__module__.startswith("nodechannel")]
            for member, found in [pair for base in ours for pair in vars(base).items()]:
                function = getattr(found, "fget", None) or getattr(found, "__func__", None) or found
                # The methods that `NamedTuple` makes are not ours.
                ours_too = inspect.isfunction(function) and function.__module__.startswith("nodechannel")
                if ours_too and (member.startswith("__") or not member.startswith("_")):
                    yield f"{name}.{member}", function


@pytest.mark.parametrize("module", MODULES)
def test_dir_is_the_public_api(module):
    assert {
        name for name in dir(importlib.import_module(module)) if not name.startswith("_")
    } == public_names(module)


def test_an_editor_offers_the_public_api():
    # In a process of its own, because jedi starts a process and keeps it; for all modules, because jedi is slow to start.
    code = (
        "import jedi, json, sys\n"
        "environment = jedi.create_environment(sys.prefix, safe=False)\n"
        "for module in sys.argv[1:]:\n"
        "    offered = jedi.Script(f'import {module}\\n{module}.', environment=environment).complete()\n"
        "    print(json.dumps([one.name for one in offered if not one.name.startswith('_')]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *MODULES],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        process_group=0,
    )
    offered = [set(json.loads(line)) for line in result.stdout.splitlines()]
    assert dict(zip(MODULES, offered, strict=True)) == {module: public_names(module) for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_there_and_says_what_it_is(module):
    for name in importlib.import_module(module).__all__:
        value = getattr(importlib.import_module(module), name)
        if isinstance(value, types.UnionType):  # an alias has no docstring of its own
            continue
        assert inspect.getdoc(value), name
        assert value.__doc__ != type(value).__doc__, name


@pytest.mark.parametrize("module", MODULES)
def test_every_public_method_says_what_it_does(module):
    silent = [name for name, function in functions(module) if "__" not in name and not function.__doc__]
    assert silent == []


@pytest.mark.parametrize("module", MODULES)
def test_public_names_call_themselves_by_their_public_module(module):
    for name in importlib.import_module(module).__all__:
        value = getattr(importlib.import_module(module), name)
        if inspect.isclass(value) or inspect.isfunction(value):
            home = value.__module__
            assert home in HOMES, f"{name} says that it is from {home}"
            assert getattr(importlib.import_module(home), name) is value
            assert pickle.loads(pickle.dumps(value)) is value


def test_a_public_class_shows_where_it_is_imported_from():
    assert repr(nodechannel.Channel) == "<class 'nodechannel.Channel'>"
    assert repr(nodechannel.asyncio.Channel) == "<class 'nodechannel.asyncio.Channel'>"
    assert repr(nodechannel.cluster.Cluster) == "<class 'nodechannel.cluster.Cluster'>"
    assert repr(nodechannel.NoChannel) == "<class 'nodechannel.errors.NoChannel'>"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'nodechannel' has no attribute 'conect'"):
        nodechannel.conect  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(
    "name",
    ["nodechannel", *(found.name for found in pkgutil.walk_packages(nodechannel.__path__, "nodechannel."))],
)
def test_importing_a_module_gives_that_module(name):
    if name.endswith("__main__"):
        return  # it runs the command
    if name.startswith("nodechannel._transport.pipe"):
        return  # for Windows alone
    module = importlib.import_module(name)
    assert isinstance(module, types.ModuleType)
    assert module.__name__ == name
    parent, _, word = name.rpartition(".")
    if parent:
        assert getattr(importlib.import_module(parent), word) is module


@pytest.mark.parametrize("module", MODULES)
def test_type_hints_of_every_public_function_can_be_evaluated(module):
    found = list(functions(module))
    for _, function in found:
        typing.get_type_hints(function)
    assert found


def test_type_hints_say_what_the_source_says():
    connect = typing.get_type_hints(nodechannel.connect)
    assert connect["options"] == typing.Unpack[nodechannel.ChannelOptions]
    assert connect["return"] == nodechannel.Channel | None
    assert typing.get_type_hints(nodechannel.Channel.send)["handle"] == nodechannel.Sendable | None
    assert typing.get_type_hints(nodechannel.asyncio.fork)["return"] is nodechannel.asyncio.ChildProcess
    assert typing.get_type_hints(nodechannel.SendTimeout.__init__)["delivery"] is nodechannel.Delivery


def test_spawn_options_are_those_of_popen():
    """Every option that is passed on has a type; the command is no option, and two exist on Windows alone."""
    popen = set(inspect.signature(subprocess.Popen).parameters) - {"args", "startupinfo", "creationflags"}
    channel = set(typing.get_type_hints(nodechannel.OpenOptions)) | {"lifeline", "end_on_signal"}
    assert set(typing.get_type_hints(SpawnOptions)) == popen | channel


def test_types_are_imported_when_they_are_asked_for_and_not_before():
    code = (
        "import sys, nodechannel, nodechannel.cluster\n"
        "assert not {'typing', 'subprocess', 'asyncio'} & sys.modules.keys()\n"
        "nodechannel.SpawnOptions, nodechannel.cluster.WorkerProcess\n"
        "assert {'typing', 'subprocess', 'asyncio'} <= sys.modules.keys()\n"
    )
    # Without the site module, whose .pth files import further modules.
    subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(ROOT / "pyref")},
        check=True,
        timeout=30,
        process_group=0,
    )


CHANNEL = {
    "close", "connected", "disconnect", "fileno", "flush", "forget", "get_connections", "pending", "receive",
    "receive_many", "send", "send_json", "send_many", "serialization", "wait_all_closed",
}  # fmt: skip
CHILD = CHANNEL | {"exit_code", "kill", "pid", "process", "signal_code", "wait"}
CALLED_BACK = {"crowded", "listen", "pause_reading", "resume_reading", "send_nowait"}
WORKER = CHANNEL | {"bind", "dismissed", "id", "listen"}

# All that an editor offers after an object of a public class.
OFFERED = {
    "nodechannel.Channel": CHANNEL,
    "nodechannel.ChildProcess": CHILD,
    "nodechannel.Delivery": {"error", "refusals", "refused", "state", "take_back"},
    "nodechannel.ReceivedHandle": {
        "close", "detach", "dgram_type", "fileno", "key", "on_closed", "socket", "type",
    },
    "nodechannel.asyncio.Channel": CHANNEL | CALLED_BACK,
    "nodechannel.asyncio.ChildProcess": CHILD | CALLED_BACK,
    "nodechannel.cluster.Cluster": {"broadcast", "kill", "roll", "run", "start", "stop", "wait", "workers"},
    "nodechannel.cluster.WorkerProcess": CHILD | CALLED_BACK | {
        "exited_after_disconnect", "id", "listening", "online", "retire", "retired", "skipped",
    },
    "nodechannel.cluster.Worker": WORKER,
    "nodechannel.cluster.asyncio.Worker": WORKER | CALLED_BACK | {"unbind", "wait_closed", "wait_dismissed"},
}  # fmt: skip


def offered(cls: type) -> set[str]:
    """Return the public members of a class, and the public attributes that its methods set."""
    own = [base for base in cls.__mro__ if base.__module__.startswith("nodechannel")]
    found = {name for name in dir(cls) if not name.startswith("_")}
    for function in [value for base in own for value in vars(base).values()]:
        if inspect.isfunction(function):
            tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
            targets = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
            found |= {
                node.attr
                for node in targets
                if isinstance(node.ctx, ast.Store)
                and ast.unparse(node.value) == "self"
                and not node.attr.startswith("_")
            }
    return found


@pytest.mark.parametrize("name", OFFERED)
def test_an_editor_offers_the_public_members_alone(name):
    module, _, cls = name.rpartition(".")
    assert offered(getattr(importlib.import_module(module), cls)) == OFFERED[name]
