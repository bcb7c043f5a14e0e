"""The setting of the wire trace is read once, and a channel without a trace pays no cost."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nodechannel._io.trace import TracedTransport
from nodechannel._io.wire import LOGGER, TRACE, traced
from nodechannel._json.serialization import JsonSerialization
from nodechannel._transport.unix import UnixTransport
from support.node import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def transport() -> Iterator[UnixTransport]:
    ours, theirs = socket.socketpair()
    yield UnixTransport(ours)
    ours.close()
    theirs.close()


def test_without_a_wish_the_transport_stays_the_same(transport, monkeypatch):
    monkeypatch.delenv(TRACE, raising=False)
    assert traced(transport, JsonSerialization()) is transport


def test_an_empty_variable_is_no_wish(transport, monkeypatch):
    monkeypatch.setenv(TRACE, "")
    assert traced(transport, JsonSerialization()) is transport


def test_the_variable_asks_for_a_trace(transport, monkeypatch):
    monkeypatch.setenv(TRACE, "stderr")
    shown = traced(transport, JsonSerialization())
    assert isinstance(shown, TracedTransport)
    shown.close()


@pytest.mark.parametrize(("level", "wished"), [(logging.DEBUG, True), (logging.INFO, False)])
def test_the_logger_asks_for_a_trace_at_debug_alone(transport, monkeypatch, level, wished):
    monkeypatch.delenv(TRACE, raising=False)
    monkeypatch.setattr(logging.getLogger(LOGGER), "level", level)
    logging.getLogger(LOGGER).manager._clear_cache()  # type: ignore[attr-defined]
    shown = traced(transport, JsonSerialization())
    logging.getLogger(LOGGER).manager._clear_cache()  # type: ignore[attr-defined]
    assert isinstance(shown, TracedTransport) is wished
    shown.close()


def test_a_trace_that_is_off_imports_nothing():
    code = (
        "import socket, sys, nodechannel\n"
        "a, b = socket.socketpair()\n"
        "with nodechannel.Channel(a), nodechannel.Channel(b): pass\n"
        "print(*{'logging', 'nodechannel._io.trace'} & sys.modules.keys())\n"
    )
    # Without the site module, whose .pth files import further modules.
    environment = {name: value for name, value in os.environ.items() if name != TRACE}
    result = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**environment, "PYTHONPATH": str(ROOT / "pyref")},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        process_group=0,
    )
    assert result.stdout == "\n"
