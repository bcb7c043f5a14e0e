"""Adoption with options of the whole process, in processes that got a channel."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from nodechannel._start.adoption import adopt_with
from nodechannel.errors import NoChannel

IN_A_THREAD = """
import os, threading
from nodechannel._start.adoption import adopt_with
from nodechannel.errors import NotMainThread
def work():
    try: adopt_with(lifeline=False, end_on_signal=True)
    except NotMainThread: print("refused", "NODE_CHANNEL_FD" in os.environ)
thread = threading.Thread(target=work); thread.start(); thread.join()
sock, mode = adopt_with(lifeline=False, end_on_signal=True)
print(mode, "NODE_CHANNEL_FD" in os.environ); sock.close()
"""

NO_WATCHER = """
import os, sys
from nodechannel._start.adoption import adopt_with
from nodechannel.errors import LifelineUnsupported
sys.executable = ""
try: adopt_with(lifeline=True, end_on_signal=False)
except LifelineUnsupported: print("refused", "NODE_CHANNEL_FD" in os.environ)
"""


def run(program: str) -> str:
    """Run a program with a channel; return its output."""
    parent, child = socket.socketpair()
    with parent, child:
        found = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "NODE_CHANNEL_FD": str(child.fileno())},
            pass_fds=(child.fileno(),), capture_output=True, text=True, check=False, timeout=30, process_group=0,
        )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_what_cannot_be_is_refused_before_the_channel_is_taken():
    assert run(IN_A_THREAD) == "refused True\njson False\n"
    assert run(NO_WATCHER) == "refused True\n"


def test_without_a_channel_there_is_none_to_adopt(monkeypatch):
    monkeypatch.delenv("NODE_CHANNEL_FD", raising=False)
    with pytest.raises(NoChannel):
        adopt_with(lifeline=False, end_on_signal=False)
