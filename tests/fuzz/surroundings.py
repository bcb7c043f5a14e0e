"""What programs do around a channel: odd limits, defaults of the process, copies, small stacks, handlers that raise, floods of descriptors.

The peer is a socket in the same thread. After each act a numbered message shows that nothing before it was lost.
"""

from __future__ import annotations

import array
import asyncio
import copy
import functools
import gc
import json
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hypothesis import given
from hypothesis import strategies as st

import nodechannel
from nodechannel import asyncio as aio
from nodechannel._transport.unix import RECEIVE_SIZE
from support.interrupting import Injection, Injector

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis import settings

# Descriptors that a channel may keep besides its own, whatever the peer sends; asyncio keeps some handles for a reader that is slow.
MOST_KEPT = 8
MOST_KEPT_AHEAD = 24
# What a bad line may cost on a busy machine, and keep beside the buffer of a read.
SECONDS_A_LINE = 0.0005
BYTES_A_LINE = 1500

HANDLE = b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":"with a handle"}\n'


class Link:
    """A channel of the blocking front end, and the raw socket of its peer."""

    def __init__(self) -> None:
        self.before = descriptors()
        self.ours, self.peer = socket.socketpair()
        self.peer.settimeout(5.0)
        self.channel = nodechannel.Channel(self.ours)
        self.number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()
        self.peer.close()

    def hand_over(self, line: bytes = HANDLE) -> None:
        """Have the peer send a handle."""
        self.attach(line, 1)

    def attach(self, data: bytes, count: int) -> None:
        """Have the peer write bytes with descriptors."""
        fd = os.open(os.devnull, os.O_RDONLY)
        try:
            rights = array.array("i", [fd] * count)
            self.peer.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        finally:
            os.close(fd)

    def last_line(self) -> bytes:
        """Return the last of the lines that the channel wrote; answers to handles stand before it."""
        return self._written_until(b"\n")[-1]

    def sent_until(self, last: bytes) -> list[bytes]:
        """Return the lines that the channel wrote, up to `last`, without the answers to handles of earlier acts."""
        return [line for line in self._written_until(last + b"\n") if b"NODE_HANDLE_" not in line]

    def _written_until(self, end: bytes) -> list[bytes]:
        """Read lines until the last of them has an end."""
        data = b""
        while not data.endswith(end):
            more = self.peer.recv(100_000)
            assert more, f"the channel ended behind {data[-100:]!r}"
            data += more
        return data.splitlines()

    def probe(self) -> int:
        """Send a number through the channel; return how many errors came before it."""
        self.number += 1
        self.peer.sendall(b"%d\n" % self.number)
        errors = 0
        while True:
            try:
                message = self.channel.receive(timeout=5)
            except nodechannel.RemoteError:
                errors += 1
                continue
            if message.handle is not None:
                message.handle.close()
            if message.data == self.number:
                return errors


def descriptors() -> int:
    """Count the open descriptors of this process."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


# ---- acts -------------------------------------------------------------------------------------------------


def odd_member(link: Link, base: str, member: str, text: str, attached: bool) -> None:
    """An internal message with a member that is deep, long or of another type."""
    members = {"cmd": json.dumps(base), "type": '"net.Socket"', "msg": "1", "key": '"k"', "count": "1"}
    members[member] = text
    line = "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}\n"
    if attached:
        link.hand_over(line.encode())
    else:
        link.peer.sendall(line.encode())
    link.probe()


def bad_lines(link: Link, line: bytes, count: int) -> None:
    """Many lines that are no JSON cost little each, in time and in memory."""
    link.probe()
    kept: list[Exception] = []
    link.peer.sendall(line * count)
    tracemalloc.start()
    began = time.thread_time()
    try:
        for _ in range(count):
            try:
                link.channel.receive(timeout=5)
            except nodechannel.RemoteError as error:
                kept.append(error.with_traceback(None))
        seconds = time.thread_time() - began
        size = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(kept) == count
    assert seconds < 0.05 + SECONDS_A_LINE * count, f"{seconds} s for {count} lines"
    assert size < 2 * RECEIVE_SIZE + BYTES_A_LINE * count, f"{size} bytes for {count} lines"
    link.probe()


def descriptors_without_end(link: Link, count: int, times: int) -> None:
    """Descriptors at a line that does not end."""
    link.peer.sendall(b'"')
    most = 0
    for _ in range(times):
        link.attach(b"x", count)
        with suppress(TimeoutError):
            link.channel.receive(timeout=0)
        most = max(most, descriptors() - link.before)
    assert most <= MOST_KEPT, f"{most} descriptors are kept"
    link.peer.sendall(b'"\n')
    link.probe()


def copied(link: Link, how: str) -> None:
    """A message with a handle cannot be copied: its descriptor has one owner."""
    link.hand_over()
    message = link.channel.receive(timeout=5)
    assert message.handle is not None
    ways: dict[str, Callable[[Any], Any]] = {
        "deep": copy.deepcopy,
        "pickle": lambda value: pickle.loads(pickle.dumps(value)),
        "handle": lambda value: copy.copy(value.handle),
    }
    try:
        ways[how](message)
    except TypeError:
        pass
    else:
        raise AssertionError(f"{how}: there are two owners of one descriptor")
    finally:
        message.handle.close()


def default_timeout(link: Link, seconds: float) -> None:
    """The default of the process for new sockets is none of the channel's business."""
    ours, theirs = socket.socketpair()
    socket.setdefaulttimeout(seconds)
    try:
        sock = socket.socket(fileno=ours.detach())
    finally:
        socket.setdefaulttimeout(None)
    with theirs, nodechannel.Channel(sock) as channel:
        later = threading.Timer(seconds + 0.02, theirs.sendall, [b"1\n"])
        later.start()
        try:
            assert channel.receive().data == 1
        finally:
            later.join()


def sent_back(link: Link, number: float) -> None:
    """What JavaScript wrote can be sent back, and means the same."""
    whole = number == int(number) and abs(number) < 1e21
    text = str(int(Decimal(repr(number)))) if whole else repr(number)
    link.peer.sendall(text.encode() + b"\n")
    link.channel.send(link.channel.receive(timeout=5).data)
    assert float(link.last_line()) == number


def odd_limit(link: Link, limit: Any, waits: bool) -> None:
    """Every number of seconds is a limit; the message comes before it."""
    later = threading.Timer(0.01 if waits else 0.0, link.peer.sendall, [b'"here"\n'])
    later.start()
    if not waits:
        later.join()
    try:
        assert link.channel.receive(limit).data == "here"
        link.channel.flush(limit)
    finally:
        later.join()


def given_up_questions(link: Link, count: int) -> None:
    """Questions without an answer leave nothing behind."""
    before = answers()
    for _ in range(count):
        with suppress(TimeoutError):
            link.channel.get_connections("k", timeout=0)
    left = answers() - before
    assert not left, f"{left} questions are kept"
    link.peer.recv(100_000)


def answers() -> int:
    """Count the answers that are waited for."""
    return sum(type(found).__name__ == "Answer" for found in gc.get_objects())


def given_up_connection(link: Link, refusals: bool) -> None:
    """A connection that the peer does not take is closed with its delivery, and not by the collector."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
    with Link() as other, client:
        before = descriptors()
        with suppress(nodechannel.SendTimeout):
            other.channel.send("take it", accepted, timeout=0)
        if refusals:
            for _ in range(4):
                socket.close(socket.recv_fds(other.peer, 1000, 1)[1][0])
                other.peer.sendall(b'{"cmd":"NODE_HANDLE_NACK"}\n')
                with suppress(TimeoutError, nodechannel.HandleAbandoned):
                    other.channel.receive(timeout=0)
        other.channel.close()
        accepted.close()
        # The channel's own end is closed, and so is the connection.
        assert descriptors() == before - 2, "the connection is still open"


# A program that forks while another of its threads imports the JSON library for its second message. `PRELUDE` is a seeded defect of it.
FORKING = """
import os, signal, socket, sys, threading, time
from importlib.machinery import PathFinder
import nodechannel
from nodechannel._json import codec
{prelude}

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name != "orjson":
            return None
        spec = PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module):  # not in `find_spec`, for which a fork of Python itself waits
            importing.set()
            time.sleep(0.1)
            execute(module)

        spec.loader.exec_module = exec_module
        return spec

def channel():
    ours, theirs = socket.socketpair()
    ends.append(theirs)
    return nodechannel.Channel(ours)

def talk(channel):
    for number in range(3):
        channel.send(number)

ends = []
importing = threading.Event()
sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=talk, args=(channel(),))
thread.start()
importing.wait(5)
pid = os.fork()
if pid == 0:
    signal.alarm(5)
    talk(channel())
    os._exit(0)
thread.join()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0)
"""
PRELUDE = ""


@functools.cache
def _forking_fails() -> bool:
    """Run the program once for all plans: there is nothing to vary."""
    program = FORKING.format(prelude=PRELUDE)
    return subprocess.run([sys.executable, "-c", program], check=False, timeout=30).returncode != 0


# Instructions of a call that are tried, and the distance between two that are tried by the same act.
PLACES, STRIDE = 150, 12


def interrupted(link: Link, first: int, sends: bool) -> None:
    """A handler of a signal raises at some instructions of a call: nothing is lost or doubled."""
    for at in range(first, PLACES, STRIDE):
        interrupted_at(link, at, sends)


def interrupted_at(link: Link, at: int, sends: bool) -> None:
    """A handler of a signal raises at an instruction of a call."""
    for _ in range(2):
        link.number += 1
        link.peer.sendall(b"%d\n" % link.number)
    received: list[object] = []

    def call() -> None:
        if sends:
            link.channel.send("interrupted")
        while len(received) < 2:
            received.append(link.channel.receive(timeout=5).data)

    def handler() -> None:
        raise Injection

    with suppress(Injection):
        Injector(at, "signal").run(call, handler)
    while len(received) < 2:
        received.append(link.channel.receive(timeout=1).data)
    # An exception between the return of `receive` and the caller's own line is the caller's.
    assert received == [link.number - 1, link.number], received
    link.channel.send("after")
    link.channel.flush(timeout=5)
    assert link.sent_until(b'"after"') in ([b'"interrupted"', b'"after"'], [b'"after"'])


def deep_in_a_small_stack(link: Link, depth: int, kib: int) -> None:
    """A thread with a small stack reads a deep message, in a process of its own, which ends without freeing it."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            ours, theirs = socket.socketpair()
            channel = nodechannel.Channel(ours)
            threading.Thread(target=theirs.sendall, args=(b"[" * depth + b"]" * depth + b"\n",)).start()
            threading.stack_size(kib * 1024)
            kept: list[object] = []
            reader = threading.Thread(target=lambda: kept.append(channel.receive(timeout=10)))
            reader.start()
            reader.join()
            status = 0 if kept else 1
        finally:
            os._exit(status)
    _, found = os.waitpid(pid, 0)
    assert found == 0, f"the process ended with {os.waitstatus_to_exitcode(found)}"


def flood_of_handles(link: Link, count: int) -> None:
    """The asyncio front end keeps few handles for a reader that is slow, and loses none."""

    async def main() -> None:
        ours, theirs = socket.socketpair()
        before = descriptors()
        with Link() as sender, theirs:
            sender.peer.close()
            sender.peer = theirs
            theirs.setblocking(False)
            channel = aio.Channel(ours)
            sent = received = most = 0
            while received < count:
                with suppress(BlockingIOError):
                    while sent < count:
                        sender.hand_over()
                        sent += 1
                for _ in range(4):
                    await asyncio.sleep(0)
                most = max(most, descriptors() - before - 1)
                message = await channel.receive(timeout=5)
                assert message.handle is not None
                message.handle.close()
                received += 1
                with suppress(BlockingIOError):
                    theirs.recv(100_000)
            channel.close()
        assert most <= MOST_KEPT_AHEAD, f"{most} descriptors are kept"

    asyncio.run(main())


def number_of_a_double(value: float) -> float:
    """Leave out what no JSON is."""
    return value if value == value and abs(value) < 1e300 else 1e18


DEEP = st.integers(1, 3000).map(lambda depth: "[" * depth + "]" * depth)
ODD_TEXTS = DEEP | st.sampled_from(
    ["null", "true", "-1", "1e400", "1e18", '""', '"\\ud800"', '"' + "x" * 5000 + '"', '{"":{}}', "[[]]"]
)
BASES = [
    "NODE_HANDLE",
    "NODE_HANDLE_ACK",
    "NODE_HANDLE_NACK",
    "NODE_CLUSTER",
    "NODE_NEW",
    "NODE_SOCKET_COUNT",
]
BASES += ["NODE_SOCKET_GET_COUNT", "NODE_SOCKET_NOTIFY_CLOSE", "NODE_SOCKET_ALL_CLOSED"]

ACTS: dict[Callable[..., None], tuple[st.SearchStrategy[Any], ...]] = {
    odd_member: (
        st.sampled_from(BASES),
        st.sampled_from(["cmd", "type", "msg", "key", "count", "dgramType"]),
        ODD_TEXTS,
        st.booleans(),
    ),
    bad_lines: (st.sampled_from([b"\n", b"x\n", b"[1\n", b'"\xff\n']), st.sampled_from([1, 30, 300])),
    descriptors_without_end: (st.integers(1, 60), st.integers(1, 6)),
    copied: (st.sampled_from(["deep", "pickle", "handle"]),),
    default_timeout: (st.sampled_from([0.001, 0.01]),),
    sent_back: ((st.integers(2**53, 2**70).map(float) | st.floats(width=64)).map(number_of_a_double),),
    odd_limit: (
        st.sampled_from([float("inf"), 1e300, 1e10, threading.TIMEOUT_MAX, 2147484, 5, True, None]),
        st.booleans(),
    ),
    given_up_questions: (st.integers(1, 20),),
    given_up_connection: (st.booleans(),),
    interrupted: (st.integers(1, STRIDE), st.booleans()),
    deep_in_a_small_stack: (st.sampled_from([10, 900, 100_000]), st.sampled_from([128, 512])),
    flood_of_handles: (st.integers(1, 60),),
}
PLAN = st.lists(
    st.one_of([st.tuples(st.just(act), st.tuples(*details)) for act, details in ACTS.items()]),
    min_size=1,
    max_size=3,
)


def surroundings(profile: settings, tick: Callable[[], None]) -> Callable[[], None]:
    """Whatever a program does: every message arrives, nothing is kept, and every descriptor is closed at once."""

    @profile
    @given(PLAN)
    def test(plan: list[tuple[Callable[..., None], tuple[Any, ...]]]) -> None:
        tick()
        before = descriptors()
        gc.disable()
        try:
            with Link() as link:
                for act, details in plan:
                    act(link, *details)
                link.probe()
            del link
            assert descriptors() == before, "a descriptor is left"
        finally:
            gc.enable()

    return test


def forks(profile: settings, tick: Callable[[], None]) -> Callable[[], None]:
    """A process that is forked off while another thread imports can send."""

    @profile
    @given(st.none())
    def test(_: None) -> None:
        tick()
        assert not _forking_fails(), "the forked process hangs"

    return test
