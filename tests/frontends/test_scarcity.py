"""A kernel that takes no more descriptors for a while: no message is lost and no call raises."""

from __future__ import annotations

import subprocess
import sys

import pytest

# The kernel counts the sockets under way for each user but root, so the program first takes the user id of `nobody`. It fills that
# account with copies of a descriptor and sends a handle on a channel. Only after the channel has failed to write, it frees the account.
PROGRAM = """
import array, asyncio, encodings.idna, errno, os, resource, select, socket, sys, threading, time
import nodechannel, nodechannel.asyncio as aio, nodechannel._json.fast, nodechannel._handles.outgoing

SOME = 200
if os.getuid() == 0:
    os.setgroups([])
    os.setresuid(65534, 65534, 65534)
ours, theirs = socket.socketpair()
theirs.settimeout(30)
server = socket.create_server(("127.0.0.1", 0))
hoard, outlet = socket.socketpair()
rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * SOME))]
resource.setrlimit(resource.RLIMIT_NOFILE, (SOME // 2, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
hoard.sendmsg([b"x"], rights)
try:
    hoard.sendmsg([b"x"], rights)
except OSError as error:
    assert error.errno == errno.ETOOMANYREFS, error
else:
    sys.exit(77)  # this kernel does not count

def peer():
    # The frame of the handle is not there while the account is full; then it is, and nothing of it was lost.
    nothing, _, _ = select.select([theirs], [], [], 0.3)
    assert not nothing
    for fd in array.array("i", outlet.recvmsg(1, 4 * SOME + 64)[1][0][2]):
        os.close(fd)
    data, fds = b"", []
    while not data.endswith(b"\\n"):
        part, ancillary, _, _ = theirs.recvmsg(1000, 1000)
        data += part
        fds += [fd for _, _, found in ancillary for fd in array.array("i", found)]
    assert (data, len(fds)) == (b'{"cmd":"NODE_HANDLE","type":"net.Server","msg":"h"}\\n', 1), (data, fds)
    theirs.send(b'{"cmd":"NODE_HANDLE_ACK"}\\n')
    assert theirs.recv(100) == b'"after"\\n'
    theirs.close()

def blocking():
    channel = nodechannel.Channel(ours)
    began = time.process_time()
    channel.send("h", server)
    print("processor time", time.process_time() - began)
    channel.send("after")

async def cooperative():
    channel = aio.Channel(ours)
    began = time.process_time()
    delivery = await channel.send("h", server)
    await channel.flush()
    print("processor time", time.process_time() - began)
    await channel.send("after")
    await channel.flush()

thread = threading.Thread(target=peer)
thread.start()
asyncio.run(cooperative()) if sys.argv[1] == "asyncio" else blocking()
thread.join()
"""


@pytest.mark.parametrize("front_end", ["blocking", "asyncio"])
def test_a_handle_waits_while_too_many_descriptors_are_under_way(front_end):
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, front_end],
        capture_output=True,
        text=True,
        timeout=50,
        process_group=0,
        check=False,
    )
    if result.returncode == 77:
        pytest.skip("this kernel does not limit the descriptors that are under way")
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    # It waits instead of trying again without a pause.
    assert float(result.stdout.split()[-1]) < 0.2
