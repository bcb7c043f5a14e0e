"""The blocking front end alone: a handler runs between any two lines of the package, and sends, disconnects, closes or raises.

A call runs against a peer that reads, acknowledges handles and answers. The handler comes before the n-th line of the package's own code,
for each n until the call succeeds. It also comes before some instructions of the interpreter; `make interruptions` takes all of these.

In every case no call hangs, and each message arrives once and whole. The reader's place and the lock are free for the next thread, and
no descriptor is left.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel
from nodechannel import errors
from support.interrupting import ALL_EVENTS, Injection, Injector, Peer, chosen

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE = "x" * 60_000


class Scene:
    """A channel, the messages that were sent and received through it, and a socket to be sent."""

    def __init__(self, server: socket.socket) -> None:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20_000)
        self.server = server
        self.theirs = theirs
        self.peer = Peer(theirs)
        self.channel = nodechannel.Channel(ours)
        self.sent: list[object] = []
        self.received: list[int] = []
        self.ended = self.closed = False
        self.peer.start()

    def send(self, message: object, *args: Any) -> None:
        self.sent.append(message)
        self.channel.send(message, *args)

    def receive(self) -> None:
        self.received.append(self.channel.receive(timeout=10).data["n"])

    def finish(self) -> None:
        """Show in a second thread that all locks are free, and that all sent and received messages are whole."""
        if not self.ended:
            self.channel.send("end")
            self.channel.flush(timeout=10)
            while len(self.received) < self.peer.told:
                self.receive()
        with suppress(errors.ChannelClosed):
            self.channel.disconnect(timeout=10)
        self.peer.join(10)
        with suppress(errors.ChannelClosed):
            while True:
                self.receive()
        self.channel.close()
        self.theirs.close()


def send(scene: Scene) -> None:
    scene.send("one")
    scene.send("two")


def send_large(scene: Scene) -> None:
    scene.send(LARGE)


def send_many(scene: Scene) -> None:
    scene.sent += ["a", "b", "c"]
    scene.channel.send_many(["a", "b", "c"])


def send_handles(scene: Scene) -> None:
    scene.send("handle", scene.server)
    scene.send("behind")


def receive(scene: Scene) -> None:
    scene.receive()
    scene.receive()


def receive_what_is_not_there_yet(scene: Scene) -> None:
    scene.send("tell")
    for _ in range(3):
        scene.receive()


def flush(scene: Scene) -> None:
    scene.send("flushed")
    scene.channel.flush(timeout=10)


def ask(scene: Scene) -> None:
    with suppress(errors.ReentrantCall):
        assert scene.channel.get_connections("k") == 3


def disconnect(scene: Scene) -> None:
    scene.ended = True
    scene.channel.disconnect()


CALLS = [
    send,
    send_large,
    send_many,
    send_handles,
    receive,
    receive_what_is_not_there_yet,
    flush,
    ask,
    disconnect,
]


def sending(scene: Scene) -> None:
    with suppress(errors.ChannelClosed):
        scene.channel.send("from the handler")
        scene.channel.send(["x" * 30_000])


def handing_over(scene: Scene) -> None:
    with suppress(errors.ChannelClosed):
        scene.channel.send("from the handler", scene.server)


def disconnecting(scene: Scene) -> None:
    scene.ended = True
    scene.channel.disconnect()


def closing(scene: Scene) -> None:
    scene.ended = scene.closed = True
    scene.channel.close()


def raising(scene: Scene) -> None:
    raise Injection


def raising_a_timeout(scene: Scene) -> None:
    raise TimeoutError("of an alarm")


RAISING = [raising, raising_a_timeout]
HANDLERS = [sending, handing_over, disconnecting, closing, *RAISING]


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # raised inside a finalizer
def test_a_handler_at_any_line_leaves_the_channel_whole(
    call: Callable[[Scene], None], handler: Callable[[Scene], None]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        lines = 0
        for lines in range(2000):
            if interrupted(call, handler, Injector(lines + 1), Scene(server)) is None:
                break
    assert lines > 10


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_handler_at_any_instruction_leaves_the_channel_whole(
    call: Callable[[Scene], None], handler: Callable[[Scene], None]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        event = "signal" if handler in RAISING else "opcode"
        whole = Injector(0, event)
        assert interrupted(call, handler, whole, Scene(server)) is None
        assert whole.seen > 20 or not ALL_EVENTS
        for at in chosen(whole.seen, f"{call.__name__} {handler.__name__}"):
            interrupted(call, handler, Injector(at, event), Scene(server))


def interrupted(
    call: Callable[[Scene], None], handler: Callable[[Scene], None], injector: Injector, scene: Scene
) -> str | None:
    """Interrupt a call at a place; return the place, None when the call has fewer."""
    try:
        injector.run(lambda: call(scene), lambda: handler(scene))
        raised = False
    except (Injection, TimeoutError, errors.ChannelClosed):
        raised = True
    failures: list[BaseException] = []
    done = threading.Thread(target=noting(scene.finish, failures), daemon=True)
    done.start()
    done.join(20)
    assert not done.is_alive(), f"{injector.where}: it hangs"
    assert not failures, f"{injector.where}: {failures[0]!r}"
    check(scene, raised or scene.ended, injector.where)
    return injector.where


def noting(function: Callable[[], object], failures: list[BaseException]) -> Callable[[], None]:
    def run() -> None:
        try:
            function()
        except BaseException as error:
            failures.append(error)

    return run


def check(scene: Scene, cut_off: bool, where: str | None) -> None:
    assert not scene.peer.rest or scene.closed, where
    lines = [line.get("msg") if isinstance(line, dict) else line for line in scene.peer.lines]
    users = [line for line in lines if line in scene.sent]
    # Of a call that an exception ended the message may be missing, never doubled, never out of turn.
    expected = [line for line in scene.sent if not cut_off or line in users]
    assert users == expected, where
    assert lines.count("from the handler") <= 1, where
    assert scene.received == list(range(len(scene.received))), where
    if not cut_off:
        assert len(scene.received) == scene.peer.told, where
