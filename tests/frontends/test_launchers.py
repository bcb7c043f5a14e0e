"""Programs between the parent and the child: the channel is adopted, or an error names the file that was found in its place."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import nodechannel
from support.interpreters import needs_wheels

CHILD = """
import sys, nodechannel
try:
    with nodechannel.connect() as channel: channel.send("adopted")
    print("adopted", file=sys.stderr)
except Exception as error: print(type(error).__name__, error, file=sys.stderr)
"""
# Programs that open a socket before they adopt the channel, at the number that a launcher has freed.
OPENED = {
    "TCP": """
import os, socket
server = socket.create_server(("127.0.0.1", 0)); own = socket.create_connection(server.getsockname())
os.dup2(own.fileno(), int(os.environ["NODE_CHANNEL_FD"]), inheritable=False)
""",
    "a pair": """
import os, socket
one, other = socket.socketpair()
os.dup2(one.fileno(), int(os.environ["NODE_CHANNEL_FD"]), inheritable=False)
""",
    "an event loop": """
import asyncio, os
loop = asyncio.new_event_loop()
os.dup2(loop._csock.fileno(), int(os.environ["NODE_CHANNEL_FD"]), inheritable=False)
""",
    "a file": """
import os
os.dup2(os.open(os.devnull, os.O_RDONLY), int(os.environ["NODE_CHANNEL_FD"]), inheritable=False)
""",
}


def shell(script: str, name: str = "sh") -> list[str]:
    return [name, "-c", script, name, sys.executable, "-c"]


def python(arguments: str) -> list[str]:
    source = f"import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:], {arguments}).returncode)"
    return [sys.executable, "-c", source, sys.executable, "-c"]


WITHOUT_VARIABLE = "import multiprocessing.spawn, os; del os.environ['NODE_CHANNEL_FD']"

LAUNCHERS = {
    "none": ([sys.executable, "-c"], "", "adopted"),
    "isolated": ([sys.executable, "-I", "-c"], "", "adopted"),
    "optimised": ([sys.executable, "-OO", "-c"], "", "adopted"),
    "sh": (shell('"$@"; true'), "", "adopted"),
    "sh, exec": (shell('exec "$@"'), "", "adopted"),
    "sh, stdin closed": (shell('exec "$@" <&-'), "", "adopted"),
    "sh, channel closed": (
        shell('eval "exec $NODE_CHANNEL_FD<&-"; exec "$@"', "bash"),
        "",
        "BadChannelFd.*not open.*launcher",
    ),
    "sh, a file there": (
        shell('eval "exec $NODE_CHANNEL_FD</dev/null"; exec "$@"', "bash"),
        "",
        "BadChannelFd.*not a socket but a device",
    ),
    "env -i": (["env", "-i", sys.executable, "-c"], "", "NoChannel"),
    "subprocess, pass_fds": (python("close_fds=False"), "", "adopted"),
    "subprocess": (python("close_fds=True"), "", "BadChannelFd.*not open.*close_fds=False or pass_fds"),
    "multiprocessing": (
        [sys.executable, "-c"],
        WITHOUT_VARIABLE,
        "NoChannel.*multiprocessing",
    ),
} | {
    f"opened before: {name}": ([sys.executable, "-c"], before, "BadChannelFd")
    for name, before in OPENED.items()
}


@needs_wheels
@pytest.mark.parametrize("patch", ["eventlet", "gevent.monkey"])
def test_the_blocking_front_end_under_monkey_patches(patch):
    way = (
        "import eventlet; eventlet.monkey_patch()"
        if patch == "eventlet"
        else "from gevent import monkey; monkey.patch_all()"
    )
    program = f"""if True:
        {way}
        import nodechannel
        channel = nodechannel.connect()
        for _ in range(3):
            channel.send(channel.receive(timeout=10).data)
        try:
            channel.receive(timeout=0.1)
        except TimeoutError:
            channel.send("late")
        channel.send("x" * 300_000)
        channel.disconnect()
    """
    with nodechannel.spawn([sys.executable, "-W", "ignore", "-c", program]) as child:
        for number in range(3):
            child.send(number)
            assert child.receive(timeout=40).data == number
        assert child.receive(timeout=20).data == "late"
        assert len(child.receive(timeout=20).data) == 300_000
        assert child.wait(timeout=20) == 0


@pytest.mark.parametrize("name", LAUNCHERS)
def test_a_launcher(api, name, tmp_path):
    command, before, expected = LAUNCHERS[name]
    said = tmp_path / "said"
    with said.open("w") as stderr, api.spawn([*command, before + CHILD], stderr=stderr) as child:
        got = None
        with suppress(nodechannel.ChannelClosed):
            got = child.receive(timeout=20).data
        child.wait(timeout=20)
    text = Path(said).read_text()
    assert re.search(expected, text), text
    assert got == ("adopted" if expected == "adopted" else None)
