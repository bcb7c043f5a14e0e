"""Names of the system that stand for the same thing everywhere."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from nodechannel._transport import system
from nodechannel.errors import NotOnThisSystem

OTHER_SYSTEM = """
import os
del os.register_at_fork
from nodechannel._transport.system import at_fork
at_fork(after_in_child=print)
"""


def test_they_are_those_of_this_system():
    assert system.WINDOWS is (os.name == "nt")
    assert system.UNIX_FAMILY == socket.AF_UNIX


def test_a_copy_of_a_descriptor_is_another_descriptor():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        copy = system.double_descriptor(ours.fileno())
        assert copy != ours.fileno()
        system.close_descriptor(copy)
        ours.send(b"x")
        assert theirs.recv(1) == b"x"


def test_a_signal_ends_a_process():
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    system.send_signal(process.pid, 15)
    assert process.wait(60) == -15
    process.communicate()
    with pytest.raises(ProcessLookupError):
        system.send_signal(process.pid, 15)


def test_a_means_of_unix_is_refused_on_windows(monkeypatch):
    system.require_unix("a path", "take a port")
    monkeypatch.setattr(system, "WINDOWS", True)
    with pytest.raises(NotOnThisSystem, match=r"^a path is not supported .*: take a port$") as raised:
        system.require_unix("a path", "take a port")
    assert raised.value.remedy == "take a port"


class Proactor:
    """Has what tells the proactor's event loop from others."""

    _proactor = None


def test_a_socket_of_another_process_is_refused_under_the_proactor_of_windows(monkeypatch):
    system.require_own(Proactor(), "to serve")
    monkeypatch.setattr(system, "WINDOWS", True)
    system.require_own(object(), "to serve")
    with pytest.raises(NotOnThisSystem, match=r"to serve .* use asyncio\.SelectorEventLoop"):
        system.require_own(Proactor(), "to serve")


def test_the_memory_of_this_process_is_a_number_of_bytes():
    assert 1 << 20 < system.memory() < 1 << 36


def test_hooks_are_called_around_a_fork():
    program = (
        "import os; from nodechannel._transport.system import at_fork;"
        "at_fork(before=lambda: print('before', flush=True), after_in_parent=lambda: print('after', flush=True));"
        "child = os.fork() or os._exit(0); os.waitpid(child, 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "before\nafter\n"


def test_a_system_without_forks_needs_no_hooks():
    done = subprocess.run(
        [sys.executable, "-c", OTHER_SYSTEM], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == ""
