"""Thousands of real signals at random moments: no message is lost or doubled, no call hangs, no descriptor is left."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# SIGALRM interrupts this process as often as its clock can, and the handler sends. Meanwhile the main thread receives numbered messages,
# some of them with a handle, and sends each message back. The peer is a process of its own.
PROGRAM = """
import array, contextlib, json, os, random, signal, socket, sys, time, traceback
import nodechannel

how, seconds = sys.argv[1], float(sys.argv[2])
ours, theirs = socket.socketpair()
pid = os.fork()
if pid == 0:
    ours.close()
    number, rest, got = 0, b"", []
    theirs.settimeout(30)

    def take(until):
        global rest
        while True:
            *lines, rest = rest.split(b"\\n")
            for line in lines:
                value = json.loads(line)
                if isinstance(value, dict) and value.get("cmd") == "NODE_HANDLE":
                    theirs.sendall(b'{"cmd":"NODE_HANDLE_ACK"}\\n')
                    value = value["msg"]
                got.append(value)
            if until(got):
                return
            data, ancillary, _, _ = theirs.recvmsg(65536, 4096)
            for _, _, found in ancillary:
                for fd in array.array("i", found):
                    os.close(fd)
            if not data:
                return
            rest += data

    status = 1
    try:
        running = True
        while running:
            line = b'%d\\n' % number
            with contextlib.suppress(BrokenPipeError):  # the other end may have said its end already, and gone
                if number % 7 == 3:
                    line = b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":%d}\\n' % number
                    theirs.sendmsg([line], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
                else:
                    theirs.sendall(line)
            wanted = ["got", number]
            take(lambda got: wanted in got or "end" in got)
            running = "end" not in got
            number += 1
        answers = [value[1] for value in got if isinstance(value, list) and value[0] == "got"]
        signals = [value[1] for value in got if isinstance(value, list) and value[0] == "signal"]
        # A handler may interrupt a handler before that one sends.
        print(json.dumps({"answers": answers == list(range(len(answers))), "count": len(answers),
                          "signals": sorted(signals) == list(range(1, len(signals) + 1)), "heard": len(signals)}), flush=True)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)

theirs.close()
channel = nodechannel.Channel(ours)
random = random.Random(7)
fired = 0
armed = True


def again():
    if armed:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(2e-5, 2e-3))


def handler(number, frame):
    global fired
    fired += 1
    mine = fired  # a handler may interrupt this one from here on
    again()
    if how == "hands over" and mine % 5 == 0:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            channel.send(["signal", mine], sock)
    else:
        channel.send(["signal", mine])


def descriptors():
    return len(os.listdir("/dev/fd"))


before = descriptors()
signal.signal(signal.SIGALRM, handler)
end = time.monotonic() + seconds
received = 0
again()
while time.monotonic() < end:
    message = channel.receive(10)
    assert message.data == received, (message.data, received)
    received += 1
    if message.handle is not None:
        message.handle.close()
    channel.send(["got", message.data])
armed = False
signal.setitimer(signal.ITIMER_REAL, 0)
channel.flush(20)
channel.send("end")
channel.disconnect(20)
channel.close()
os.waitpid(pid, 0)
print(json.dumps({"fired": fired, "received": received, "left": descriptors() - before + 1}), flush=True)
"""


# The same with a handler that raises, while the main thread receives from a peer that writes without end.
RAISING = """
import array, json, os, random, signal, socket, sys, time
import nodechannel

way, seconds = sys.argv[1], float(sys.argv[2])
ours, theirs = socket.socketpair()
pid = os.fork()
if pid == 0:
    ours.close()
    number = 0
    try:
        while True:
            if number % 7 == 3:
                line = b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":%d}\\n' % number
                theirs.sendmsg([line], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
                data = b""
                while not data.endswith(b"\\n"):
                    data += theirs.recv(1000) or os._exit(0)
            else:
                theirs.sendall(b'%d\\n' % number)
            number += 1
    except OSError:
        pass
    finally:
        os._exit(0)

theirs.close()
channel = nodechannel.Channel(ours)
random = random.Random(5)
fired = booms = received = 0
inside = over = False


class Boom(Exception):
    pass


def handler(number, frame):
    global fired
    fired += 1
    if not over:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(2e-5, 2e-3))
    if inside:
        raise Boom


def descriptors():
    return len(os.listdir("/dev/fd"))


assert channel.receive(10).data == 0  # orjson is imported; signals that come sooner than it takes would keep it from that
received = 1
before = descriptors()
signal.signal(signal.SIGALRM, handler)
end = time.monotonic() + seconds
limit = {"receives": None, "receives with a limit": 10}[way]
signal.setitimer(signal.ITIMER_REAL, 0.01)
while not over:
    try:
        inside = True
        message = channel.receive(limit)
        inside = False
        assert message.data == received, (message.data, received)
        received += 1
        if message.handle is not None:  # left to its finalizer, it stays open where the handler raises before the first line of that
            message.handle.close()
    except Boom:
        inside = False
        booms += 1
    over = time.monotonic() > end
signal.signal(signal.SIGALRM, signal.SIG_IGN)
assert channel.receive(10).data == received  # in the end, too
message = None
channel.close()
os.waitpid(pid, 0)
print(json.dumps({"booms": booms, "received": received, "left": descriptors() - before + 1}), flush=True)
"""


@pytest.mark.parametrize("way", ["receives", "receives with a limit"])
def test_a_handler_that_raises_at_random_moments(way):
    (ours,) = run(way, 4.0, RAISING)
    assert ours["booms"] > 50
    assert ours["received"] > 50
    assert (
        ours["left"] <= 0
    )  # some descriptors that were open before belong to messages that have been received since


@pytest.mark.parametrize("how", ["sends", "hands over"])
def test_a_handler_that_sends_at_random_moments(how):
    peer, ours = run(how, 4.0)
    assert ours["fired"] > 50  # thousands where the machine is not busy
    assert peer["answers"]
    assert peer["signals"]
    assert peer["heard"] == ours["fired"]
    assert ours["left"] == 0


def run(how: str, seconds: float, program: str = PROGRAM) -> list[dict[str, int]]:
    command = [sys.executable, "-W", "ignore::ResourceWarning", "-c", program, how, str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(printed) == (2 if program is PROGRAM else 1), done.stderr
    return printed
