"""asyncio alone: a handler runs between any two lines of the package, and sends, closes, cancels the task, ends the loop or raises.

`test_interruption.py` does this for the blocking front end. A handler of a signal or a finalizer runs in the thread of the event loop,
within a task or within a callback. It cannot wait: it starts a task to send. It closes the channel itself or has the loop do so.
It raises where it runs, as a function of `signal.signal` does, or in a callback of the loop, as one of `add_signal_handler` does.
In each case no call hangs, each message arrives once and whole, and no descriptor is left.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from nodechannel import asyncio as aio
from nodechannel import errors
from support.interrupting import ALL_EVENTS, Injection, Injector, Peer, chosen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LARGE = "x" * 60_000


class Scene:
    """A channel of an event loop, the messages that passed through it, and a socket to be sent."""

    def __init__(self, server: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20_000)
        self.loop = loop
        self.server = server
        self.theirs = theirs
        self.peer = Peer(theirs)
        self.sent: list[object] = []
        self.received: list[int] = []
        self.started: list[asyncio.Task[Any]] = []
        self.task: asyncio.Task[None] | None = None
        self.ended = self.stopped = self.closed = False
        self.peer.start()
        self.channel = loop.run_until_complete(self._open(ours))

    async def _open(self, ours: socket.socket) -> aio.Channel:
        return aio.Channel(ours)

    def send(self, message: object, *args: Any) -> Awaitable[object]:
        self.sent.append(message)
        return self.channel.send(message, *args)

    async def receive(self) -> None:
        self.received.append((await self.channel.receive(timeout=10)).data["n"])

    async def finish(self) -> None:
        """Show that the messages of both directions are whole."""
        if self.started:
            await asyncio.wait(self.started, timeout=10)
        self.started = [
            task for task in self.started if not isinstance(task.exception(), errors.ChannelClosed)
        ]
        for task in self.started:
            task.result()
        if not self.ended:
            await self.channel.send("end")
            await self.channel.flush(timeout=10)
            while not self.stopped and len(self.received) < self.peer.told:
                await self.receive()
        with suppress(errors.ChannelClosed):
            await self.channel.disconnect(timeout=10)
        await asyncio.to_thread(self.peer.join, 10)
        with suppress(errors.ChannelClosed):
            while True:
                await self.receive()
        self.channel.close()
        self.theirs.close()


async def send(scene: Scene) -> None:
    await scene.send("one")
    await scene.send("two")


async def send_large(scene: Scene) -> None:
    await scene.send(LARGE)
    await scene.channel.flush(timeout=10)


async def send_many(scene: Scene) -> None:
    scene.sent += ["a", "b", "c"]
    await scene.channel.send_many(["a", "b", "c"])


async def send_handles(scene: Scene) -> None:
    await scene.send("handle", scene.server)
    await scene.send("behind")
    await scene.channel.flush(timeout=10)


async def receive(scene: Scene) -> None:
    await scene.send("tell")
    for _ in range(3):
        await scene.receive()


async def iterate(scene: Scene) -> None:
    async for message in scene.channel:
        scene.received.append(message.data["n"])
        if len(scene.received) == 2:
            break


async def ask(scene: Scene) -> None:
    assert await scene.channel.get_connections("k") == 3


async def disconnect(scene: Scene) -> None:
    scene.ended = True
    await scene.channel.disconnect()


CALLS = [send, send_large, send_many, send_handles, receive, iterate, ask, disconnect]


def sending(scene: Scene) -> None:
    async def carry_out() -> None:
        await scene.channel.send("from the handler")
        await scene.channel.send(["x" * 30_000], scene.server)

    scene.started.append(scene.loop.create_task(carry_out()))


def closing(scene: Scene) -> None:
    scene.ended = scene.closed = True
    scene.loop.call_soon_threadsafe(scene.channel.close)


def closing_at_once(scene: Scene) -> None:
    scene.ended = scene.closed = True
    scene.channel.close()


def cancelling(scene: Scene) -> None:
    assert scene.task is not None
    scene.task.cancel()


def stopping(scene: Scene) -> None:
    """Do the work of the handler of `end_on_signal`."""
    scene.stopped = True
    scene.channel._end_loop_soon()


def raising(scene: Scene) -> None:
    raise Injection


def raising_keyboard_interrupt(scene: Scene) -> None:
    raise KeyboardInterrupt


def raising_in_the_loop(scene: Scene) -> None:
    scene.loop.call_soon_threadsafe(raising, scene)


RAISING = [raising, raising_keyboard_interrupt]
# asyncio itself loses a task when these raise, which it calls to let the task wait.
REGISTRATION = ["get_loop", "add_done_callback"]
HANDLERS = [sending, closing, closing_at_once, cancelling, stopping]
# Where the interpreter runs handlers of signals is the only place where one can raise. That in the loop comes between callbacks anyway.
MOMENTS = [(handler, event) for handler in HANDLERS for event in ("line", "opcode")]
MOMENTS += [(handler, "signal") for handler in RAISING] + [(raising_in_the_loop, "line")]


@pytest.mark.parametrize(("handler", "event"), MOMENTS, ids=lambda one: getattr(one, "__name__", one))
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.filterwarnings("ignore:coroutine '.*' was never awaited")  # raised between the two
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # raised inside a finalizer
def test_a_handler_anywhere_leaves_the_channel_whole(
    call: Callable[[Scene], Awaitable[None]], handler: Callable[[Scene], None], event: str
) -> None:
    loop = asyncio.new_event_loop()
    unhandled: list[BaseException | None] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context.get("exception")))
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            but = REGISTRATION if handler in RAISING else []
            whole = Injector(0, event, but)
            interrupted(call, handler, whole, Scene(server, loop))
            assert whole.seen > 5 or not ALL_EVENTS
            for at in chosen(whole.seen, f"{call.__name__} {handler.__name__}"):
                interrupted(call, handler, Injector(at, event, but), Scene(server, loop))
        # An exception of the handler in a callback of the loop is told to the loop, like each exception there.
        assert {type(error) for error in unhandled} <= {Injection}, unhandled
        assert not unhandled or handler in (raising, raising_in_the_loop)
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def interrupted(
    call: Callable[[Scene], Awaitable[None]],
    handler: Callable[[Scene], None],
    injector: Injector,
    scene: Scene,
) -> None:
    async def carry_out() -> None:
        await call(scene)

    scene.task = scene.loop.create_task(carry_out())

    def wait() -> None:
        assert scene.task is not None
        scene.loop.run_until_complete(asyncio.wait([scene.task], timeout=10))

    try:
        try:
            injector.run(wait, lambda: handler(scene))
        except KeyboardInterrupt:
            wait()
        assert scene.task.done(), "it hangs"
        with suppress(errors.ChannelClosed, asyncio.CancelledError, Injection, KeyboardInterrupt):
            scene.task.result()
        cut_off = scene.task.cancelled() or scene.task.exception() is not None or scene.ended or scene.stopped
        scene.loop.run_until_complete(asyncio.wait_for(scene.finish(), 20))
        check(scene, cut_off)
    except BaseException as error:
        error.add_note(f"interrupted at {injector.where}")
        raise


def check(scene: Scene, cut_off: bool) -> None:
    assert not scene.peer.rest or scene.closed
    lines = [line.get("msg") if isinstance(line, dict) else line for line in scene.peer.lines]
    users = [line for line in lines if line in scene.sent]
    # Of a call that an exception ended the message may be missing, never doubled, never out of turn.
    assert users == [line for line in scene.sent if not cut_off or line in users]
    assert lines.count("from the handler") <= 1
    assert scene.closed or lines.count("from the handler") == len(scene.started)
    assert scene.received == list(range(len(scene.received)))
    if not cut_off:
        assert len(scene.received) == scene.peer.told
