"""The imports for the first message, and their time."""

from __future__ import annotations

import subprocess
import sys

import pytest

from support.codecs import needs_orjson, run


@needs_orjson
@pytest.mark.parametrize(
    ("messages", "loaded"),
    [
        (["ready"], [False]),
        (["ready", "steady"], [False, True]),
        ([1.5], [False]),
        ([[b"no JSON"]], [False]),
    ],
)
def test_the_first_message_does_not_wait_for_orjson(messages: list[object], loaded: list[bool]) -> None:
    program = f"""if True:
        import os, socket, sys
        ours, theirs = socket.socketpair()
        theirs.set_inheritable(True)
        os.environ["NODE_CHANNEL_FD"] = str(theirs.detach())
        import nodechannel
        with nodechannel.connect() as channel:
            for message in {messages!r}:
                try:
                    channel.send(message)
                except nodechannel.InvalidMessage:
                    pass
                print("orjson" in sys.modules)
    """
    assert run(program).split() == list(map(str, loaded))


@needs_orjson
@pytest.mark.parametrize("first", [True, False], ids=["a first message", "a later message"])
def test_a_handler_may_send_while_orjson_is_imported(first: bool) -> None:
    program = f"""if True:
        import sys
        from nodechannel._json import codec
        if not {first}:
            assert codec.encode(0) == b"0\\n"
        found = set()
        def trace(frame, event, argument):
            if frame.f_code.co_name != "handler":
                sys.settrace(None)
                handler()
                sys.settrace(trace)
            return trace
        def handler():
            found.add(codec.encode([1.5, "\\n", {{"a": 2**60}}]))
        sys.settrace(trace)
        codec.encode([])
        codec.encode([])
        sys.settrace(None)
        print(len(found), "orjson" in sys.modules)
    """
    assert run(program).split() == ["1", "True"]


@needs_orjson
def test_a_handler_may_raise_while_orjson_is_imported() -> None:
    program = """if True:
        import sys
        from nodechannel._json import codec
        codec.encode(0)
        class Injection(Exception): pass
        def interrupted(at):
            left = at
            def trace(frame, event, argument):
                nonlocal left
                left -= event == "line"
                if left == 0:
                    left = -1
                    raise Injection
                return trace
            sys.settrace(trace)
            try:
                codec.encode([])
            except Injection:
                return True
            finally:
                sys.settrace(None)
            return False
        at, times = 1, 0
        while interrupted(at):
            at, times = at + 29, times + 1
        assert codec.encode([1, "x"]) == b'[1,"x"]\\n' and codec.decode(b"[1]") == [1]
        print(times > 10, "orjson" in sys.modules)
    """
    assert run(program).split() == ["True", "True"]


def test_a_fork_waits_for_the_import_in_another_thread() -> None:
    program = """if True:
        import os, sys, threading
        from nodechannel._json import codec
        codec.encode(0)
        started = threading.Event()
        def trace(frame, event, argument):
            started.set()
        def load():
            sys.settrace(trace)
            codec.encode([])
        thread = threading.Thread(target=load)
        thread.start()
        started.wait()
        pid = os.fork()
        if pid == 0:
            import signal
            signal.alarm(20)
            codec.encode([1.5]), codec.decode(b"[1.5]")
            os._exit(0)
        thread.join()
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    assert run(program).split() == ["0"]


@needs_orjson
def test_a_signal_handler_reads_while_orjson_is_imported():
    program = """
import sys
from nodechannel._json import codec

class Interruption:
    seen = []
    def find_spec(self, name, path=None, target=None):
        if name == "orjson":
            self.seen.append([codec.decode(b"[1]"), codec.decode_lines([b"2"]), codec.encode("x")])

sys.meta_path.insert(0, Interruption())
assert codec.decode(b"3") == 3
assert Interruption.seen == [[[1], [2], b'"x"\\n']], Interruption.seen
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
