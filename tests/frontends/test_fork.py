"""After `os.fork` and with `multiprocessing`, the channel stays with the process that made it."""

from __future__ import annotations

import multiprocessing
import os
import traceback

import pytest

from nodechannel import errors


def in_a_fork(action) -> int:
    """Run `action` in a forked child; return the child's exit status: 0 when it returns true."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if action() else 2
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def refuses(call) -> bool:
    try:
        call()
    except errors.ChannelClosed:
        return True
    return False


# Python 3.12 warns of forking a process that has threads, which is the point of the test.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


def test_the_forked_process_has_no_channel_and_the_other_goes_on(channel, peer):
    # Bare access: the front end's own loop does not run in the forked process.
    bare = getattr(channel, "channel", channel)
    assert in_a_fork(lambda: bare.fileno() == -1 and not bare.connected) == 0
    assert channel.connected
    channel.send("from the parent")
    channel.flush()
    assert peer.recv(100) == b'"from the parent"\n'
    peer.sendall(b"1\n")
    assert channel.receive(timeout=5).data == 1


def test_a_fork_that_lives_on_does_not_keep_the_channel_open(channel, peer):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write)
        os.read(read, 1)  # until the parent of this process is done
        os._exit(0)
    os.close(read)
    channel.disconnect(timeout=5)
    assert peer.recv(1) == b""
    os.close(write)
    os.waitpid(pid, 0)


def test_the_blocking_channel_is_refused_in_the_forked_process(api, channel):
    if api.name == "blocking":
        assert in_a_fork(lambda: refuses(lambda: channel.send(1)) and refuses(channel.receive)) == 0


def worker(results) -> None:
    results.put("done")


def test_multiprocessing_beside_a_channel(channel, peer):
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    process = context.Process(target=worker, args=(results,))
    process.start()
    assert results.get() == "done"
    process.join()
    process.close()
    results.close()
    channel.send("still here")
    channel.flush()
    assert peer.recv(100) == b'"still here"\n'


def test_a_signal_to_a_child_that_has_ended_does_nothing(api):
    with api.spawn(["true"]) as child:
        child.wait(timeout=20)
        child.kill()
        assert child.exit_code == 0
