"""A running subject with its surroundings: its channel, its control channel, the puppet, the inbox.

A session belongs to a single thread. All waiting happens in :meth:`Session.wait`, which reads all sources meanwhile.
So no output of the subject is lost, and the subject is never blocked while the runner waits.
"""

import itertools
import math
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from channelkit import CONTRACT
from channelkit.errors import HarnessError, Interrupted, LimitExceeded, NoAnswer, NoChannel
from channelkit.limits import MOST_BYTES, MOST_DESCRIPTORS, MOST_WAITING, ROUNDS, SLICE, Limits
from channelkit.process.attach import held, offer
from channelkit.process.control import Control
from channelkit.process.puppetlink import PuppetLink
from channelkit.process.spawn import CHANNEL
from channelkit.process.subject import Subject, describe_status
from channelkit.wire.compare import contains, equal
from channelkit.wire.headers import WIRES
from channelkit.wire.modes import of_mode
from channelkit.wire.rawchannel import RawChannel
from channelkit.wire.serialization import Frame, Serialization
from channelkit.wire.transcript import Transcript
from channelkit.wire.values import show

_LAG = 0.3
"""Seconds by which the end of file may lag behind the end of the process."""
_UNKNOWN = "frobnicate-5f1c"
"""A command that is in no version of the contract."""


POLICIES = ("round-robin", "shared")
"""How a primary hands out connections: the first policy is the default."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to start a subject: its command, its role and its rung.

    ``descriptor``, ``mode`` and ``env`` set the environment of a child. ``validate``: the schema checks every line to and from the
    adapter. ``attach``: the subject is held until a debugger is attached.
    """

    command: tuple[str, ...]
    role: str
    rung: int
    validate: bool = False
    attach: bool = False
    descriptor: int = CHANNEL
    mode: str | None = "json"
    env: Mapping[str, str | None] = field(default_factory=dict, hash=False)
    wire: str = WIRES[0]
    """The form of the bytes."""
    policy: str = POLICIES[0]
    """The policy that a primary gets on its command line."""

    @property
    def serialization(self) -> Serialization:
        """The serialization in which the kit speaks."""
        return of_mode(self.mode)

    @property
    def driven(self) -> bool:
        """Whether the subject has a control channel."""
        return self.role == "parent" or self.rung > 0


class Session:
    """Starts the subject and owns it until :meth:`close`. Raises :class:`HarnessError` when it cannot be started."""

    def __init__(self, plan: Plan, limits: Limits, transcript: Transcript, stop: threading.Event) -> None:
        self.plan = plan
        self.serialization = plan.serialization
        self.limits = limits
        self.transcript = transcript
        self.frames: deque[Frame] = deque()
        """Frames that no step has taken, echoes of probes excepted."""
        self.answers: deque[Frame] = deque()
        """Frames of the channel itself from an echo child. They may come at any place between its echoes."""
        self.events: deque[dict[str, Any]] = deque()
        """Events of the adapter that no step has taken, deliveries of probes excepted."""
        self.allowed: list[dict[str, Any]] = []
        """Events that a case allows; the session drops them."""
        self.repeated = ""
        """The two messages of a cluster that have the same number, in words; empty when all numbers differ."""
        self._numbers: set[float] = set()
        self.allowed_frames: list[Any] = []
        """Frames that a case allows; the session drops them."""
        self.exited = False
        """The process has ended, and all its output has been read."""
        self.kit_ended_first = False
        """The kit closed or half-closed before the subject did."""
        self.probes: set[int] = set()
        """Probes that were sent and not seen again."""
        self.hello: dict[str, Any] = {}
        self.opened = not plan.driven
        """The subject has the channel; a driven subject has confirmed it."""
        self.latest_key: str | None = None
        """The latest ``key`` in a frame that a step has taken."""
        self.bystander: PuppetLink | None = None
        """A process without a channel, which the subject starts on a command of the kit."""
        self.kept: dict[str, Any] = {}
        """Values that later steps use, by name."""
        self._stop = stop
        self._ended_at = 0.0
        self._too_much = MOST_BYTES
        self._deadline = time.monotonic() + limits.case
        self._probe_numbers = itertools.count(1)
        self._channel: RawChannel | None = None
        self.puppet = PuppetLink() if plan.role in ("parent", "primary") else None
        try:
            self._start()
        except BaseException:
            if self.puppet is not None:
                self.puppet.close()
            raise

    def _start(self) -> None:
        ours: socket.socket | None = None
        theirs: socket.socket | None = None
        if self.puppet is None:
            ours, theirs = socket.socketpair()
        try:
            command = held(self.plan.command) if self.plan.attach else self.plan.command
            if self.plan.role == "primary" and self.puppet is not None:
                command = (*command, self.plan.policy, *self.puppet.argv)
            marks = {"NODE_UNIQUE_ID": "1"} if self.plan.role == "worker" else {}
            self.subject = Subject(
                command,
                theirs,
                driven=self.plan.driven,
                number=self.plan.descriptor,
                mode=self.plan.mode,
                env={**marks, **self.plan.env},
            )
        except BaseException:
            if ours is not None:
                ours.close()
            raise
        if ours is not None:
            self._channel = self._end(ours, self.subject.pid)
        self.control = (
            Control(self.subject, self.transcript, validate=self.plan.validate) if self.plan.driven else None
        )
        if self.plan.attach:
            offer(self.subject.pid, self.plan.command)

    def _end(self, end: socket.socket, peer: int) -> RawChannel:
        """The kit's end of a channel to the process ``peer``."""
        return RawChannel(
            end, self.transcript, self.serialization, peer if self.plan.wire == "windows" else None
        )

    @property
    def channel(self) -> RawChannel:
        """The kit's end. Raises :class:`HarnessError` in the parent role before the puppet has come."""
        if self._channel is None:
            raise HarnessError("the channel is not open")
        return self._channel

    @property
    def links(self) -> list[PuppetLink]:
        """The processes of the kit that the subject starts."""
        return [link for link in (self.puppet, self.bystander) if link is not None]

    @property
    def status(self) -> int | None:
        """Exit status of the subject, None while it runs."""
        return self.subject.status if self.exited else None

    @property
    def _taken(self) -> int:
        """Bytes of the subject that have been read from the channel."""
        return self._channel.taken if self._channel is not None else 0

    @property
    def _arrived(self) -> int:
        """Bytes read from the channel, and bytes moved on the control channel."""
        return self._taken + (self.control.moved if self.control is not None else 0)

    @property
    def _progress(self) -> tuple[int, int, int]:
        """Changes while the subject writes, reads or reports; constant once it has written too many bytes."""
        channel, control = self._channel, self.control
        unread = 0 if channel is None or channel.closed or channel.broken else channel.unread()
        return min(self._taken, self._too_much), unread, control.moved if control is not None else 0

    # ---- waiting -------------------------------------------------------------------------------------------

    def wait(self, ready: Callable[[], bool], seconds: float, also: int | None = None) -> bool:
        """Reads all sources until ``ready`` or until ``seconds`` have passed; returns ``ready()``.

        ``also`` is a further descriptor whose readability may make ``ready`` true. A wait for an answer goes on while the subject
        writes or reads, up to ``limits.progress``: a slow subject is not stuck.
        """
        until = time.monotonic() + seconds
        latest = time.monotonic() + max(seconds, self.limits.progress)
        self._expect_more()
        seen = self._progress
        self._drain()
        while not ready():
            now = self._progress
            if now != seen and seconds >= self.limits.answer:
                seen, until = now, min(time.monotonic() + seconds, latest)
            left = until - time.monotonic()
            if left <= 0:
                return False
            self.pump(min(left, SLICE), also=also)
        return True

    def _expect_more(self) -> None:
        self._too_much = self._taken + MOST_BYTES
        if self.control is not None:
            self.control.expect_more()

    def _hold_to_limits(self) -> None:
        """Raises :class:`LimitExceeded` when the subject sends without end, or has used up the time of a case."""
        if self._taken > self._too_much or len(self.frames) > MOST_WAITING:
            raise LimitExceeded(
                "flooded", f"the subject wrote {self._taken} bytes, {len(self.frames)} frames of them wait"
            )
        if len(self.events) > MOST_WAITING:
            raise LimitExceeded("flooded", f"{len(self.events)} events of the adapter wait")
        if self._channel is not None and self._channel.too_many_descriptors:
            raise LimitExceeded("flooded", f"more than {MOST_DESCRIPTORS} descriptors came unasked")
        if self._channel is not None and self._channel.fault:
            raise LimitExceeded("bad-header", self._channel.fault)
        if time.monotonic() > self._deadline:
            raise LimitExceeded("overdue", f"the case took more than {self.limits.case:.0f} s")

    def pump(self, seconds: float, *, writing: bool = False, also: int | None = None) -> None:
        """Waits until a source is readable (or the channel writable) and reads all sources."""
        if self._stop.is_set():
            raise Interrupted
        poller = self._poller()
        for end in (also, None if self.exited else self.subject.pidfd):
            if end is not None:
                poller.register(end, select.POLLIN)
        channel = self._channel
        if writing and channel is not None and not channel.closed:
            poller.register(channel.fileno(), select.POLLOUT | (select.POLLIN if channel.reads else 0))
        if self.control is not None and self.control.pending_output and self.subject.stdin is not None:
            poller.register(self.subject.stdin, select.POLLOUT)
        if self.subject.pidfd is None:
            seconds = min(seconds, 0.01)
        poller.poll(math.ceil(seconds * 1000))
        self._drain()

    def _poller(self) -> select.poll:
        """A poller over all sources that a wait reads."""
        sources = [end for end in (self.subject.stdout, self.subject.stderr) if end is not None]
        for link in self.links:
            sources.extend(link.descriptors)
        channel = self._channel
        if channel is not None and channel.reads:
            sources.append(channel.fileno())
        poller = select.poll()
        for descriptor in sources:
            poller.register(descriptor, select.POLLIN)
        return poller

    def _drain(self) -> None:
        """Reads until a whole round brings no bytes: then the cause of each observation has been read, too.

        Raises :class:`LimitExceeded`.
        """
        ended = (
            self.subject.poll()
        )  # first, so that the last output of the process is read before its end counts
        quiet = any(not self._drain_once() for _ in range(ROUNDS))
        if ended and quiet and not self.exited and self._nothing_follows():
            self.exited = True
            self.transcript.note(f"the subject ended with {describe_status(self.subject.status or 0)}")

    def _nothing_follows(self) -> bool:
        """Whether no output can follow the end of the process.

        A process that another thread is starting holds a copy of the subject's end until its exec. So the end of file can
        come a moment after the end of the process.
        """
        channel = self._channel
        if channel is None or channel.closed or channel.eof:
            return True
        now = time.monotonic()
        self._ended_at = self._ended_at or now
        return now - self._ended_at > _LAG

    def _drain_once(self) -> bool:
        """Reads every source once; whether bytes came that may hold an event or a frame. Raises :class:`LimitExceeded`."""
        if self.control is not None:
            self.control.flush()
        if not self._poller().poll(0):  # a single call for all sources
            return False
        before, came = self._arrived, False
        self.subject.read_stderr()
        for link in self.links:
            link.read()
        for frame in self._channel.read() if self._channel is not None else ():
            self._take_frame(frame)
            came = True
        if self.control is not None:
            self.control.read()
            while self.control.events:
                self._take_event(self.control.events.popleft())
                came = True
        self._hold_to_limits()
        # A case that reads in portions decides after each portion whether it reads the next.
        in_portions = self._channel is not None and self._channel.portion is not None
        return came if in_portions else self._arrived != before

    def _take_frame(self, frame: Frame) -> None:
        value = frame.value
        if self.plan.role in ("worker", "primary"):
            self._note_number(value)
        echo = not self.plan.driven and self._is_echo(value)
        if not echo and not self._is_allowed(frame):
            own = self.plan.role == "child" and not self.plan.driven and _is_internal(value)
            (self.answers if own else self.frames).append(frame)

    def _note_number(self, value: Any) -> None:
        """Notes the ``seq`` of a message of a cluster; each message needs its own number (CLU-003)."""
        inner = value.get("msg") if isinstance(value, dict) and value.get("cmd") == "NODE_HANDLE" else value
        if not isinstance(inner, dict) or inner.get("cmd") != "NODE_CLUSTER":
            return
        number = inner.get("seq")
        if isinstance(number, float) and number in self._numbers:
            self.repeated = (
                self.repeated or f"two messages have the seq {number:g}, the second is {show(value)}"
            )
        elif isinstance(number, float):
            self._numbers.add(number)

    def allow_events(self, like: dict[str, Any]) -> None:
        """Drops events with these members, also events that wait already: an allowance cannot come too late."""
        self.allowed.append(like)
        self.events = deque(event for event in self.events if not contains(like, event))

    def allow_frames(self, like: Any) -> None:
        """Drops frames with these members, also frames that wait already."""
        self.allowed_frames.append(like)
        self.frames = deque(frame for frame in self.frames if not self._is_allowed(frame))

    def _is_allowed(self, frame: Frame) -> bool:
        return not frame.problem and any(contains(allowed, frame.value) for allowed in self.allowed_frames)

    def _take_event(self, event: dict[str, Any]) -> None:
        if event["event"] == "message" and self._is_probe(event.get("message")):
            return
        if not any(contains(allowed, event) for allowed in self.allowed):
            self.events.append(event)

    def echo(self, message: object) -> object:
        """The message by which a subject without a control channel answers a message."""
        clustered = self.plan.role in ("worker", "primary")
        return {"echo": message} if clustered else self.serialization.echo(message)

    def _is_echo(self, value: object) -> bool:
        """Whether an echo child answers a probe; then it is done with."""
        found = next((n for n in self.probes if equal(self.echo({"probe": n}), value)), None)
        self.probes.discard(found or 0)
        return found is not None

    def _is_probe(self, message: object) -> bool:
        if not isinstance(message, dict) or message.keys() != {"probe"}:
            return False
        number = message["probe"]
        if not isinstance(number, float) or number not in self.probes:
            return False
        self.probes.discard(int(number))
        return True

    # ---- writing -------------------------------------------------------------------------------------------

    def write(self, data: bytes, descriptors: Sequence[int] = (), *, raw: bool = False) -> bool:
        """Writes all of ``data``, with headers of their own if they are ``raw``; False when the subject made no room for too long."""
        view = memoryview(data)
        self._expect_more()
        patience = self.limits.answer if self.channel.heard or self.plan.driven else self.limits.start
        until = time.monotonic() + patience
        latest = time.monotonic() + self.limits.progress
        while view:
            taken = self.channel.write(view, descriptors, raw=raw)
            if taken:
                descriptors = ()
                view = view[taken:]
                until = min(time.monotonic() + patience, latest)  # a slow subject is not stuck
            elif time.monotonic() > until:
                self.transcript.note(f"the subject does not read: {len(view)} bytes could not be written")
                return False
            else:
                self.pump(SLICE, writing=True)
        return True

    def settle(self, seconds: float) -> bool:
        """Waits until the subject has read all written bytes, so that the next write arrives in a read of its own."""
        until = time.monotonic() + seconds
        pause = 0.0
        while self.channel.unread() and not (self.channel.broken or self.channel.eof):
            if time.monotonic() > until:
                return False
            time.sleep(pause)  # the kernel offers a counter, no event to wait for
            if pause:
                self.pump(0)
            pause = 0.00005
        return True

    def await_start(self) -> None:
        """Waits until an echo child has read the written bytes or shows another sign of life.

        Afterwards the limit of an answer holds, which is much shorter than the limit of a start.
        """
        channel = self.channel
        until = time.monotonic() + self.limits.start
        while not (self.plan.driven or channel.heard or channel.eof or self.exited or channel.closed):
            if not channel.unread() or time.monotonic() > until:
                return
            self.pump(0.02)

    def new_probe(self) -> bytes:
        """The frame of a new probe message. From now on its delivery is taken out of the inbox."""
        number = next(self._probe_numbers)
        self.probes.add(number)
        return self.serialization.frame({"probe": number})

    # ---- control -------------------------------------------------------------------------------------------

    def ask(self, command: dict[str, Any]) -> int:
        """Sends a command to the adapter."""
        if self.control is None:
            raise HarnessError("an echo child takes no commands")
        return self.control.ask(command)

    def replied(self, number: int) -> bool:
        """Whether the reply to a command has come."""
        return self.control is not None and number in self.control.replies

    def answer(self, number: int, seconds: float) -> dict[str, Any] | None:
        """The reply to a command; None when the process or the time ended first."""
        control = self.control
        if control is None:
            raise HarnessError("an echo child gives no replies")
        self.wait(lambda: number in control.replies or self.exited, seconds)
        return control.replies.pop(number, None)

    def greet(self) -> None:
        """Asks ``hello`` and an unknown command. Raises :class:`HarnessError` when the contract is not kept."""
        hello = self._require(self.ask({"command": "hello", "contract": CONTRACT}), "hello")
        if not hello["ok"] or hello.get("contract") != CONTRACT:
            raise HarnessError(f"the adapter does not speak contract {CONTRACT}: {show(hello)}")
        for name, kind in (
            ("name", str),
            ("version", str),
            ("roles", list),
            ("rung", float),
            ("capabilities", list),
        ):
            if not isinstance(hello.get(name), kind):
                raise HarnessError(f"the adapter's `hello` has no valid `{name}`: {show(hello)}")
        if not all(isinstance(one, str) for one in (*hello["roles"], *hello["capabilities"])):
            raise HarnessError(
                f"the adapter's `roles` and `capabilities` must be lists of strings: {show(hello)}"
            )
        self.hello = hello
        unknown = self._require(self.ask({"command": _UNKNOWN}), "an unknown command")
        if unknown["ok"] or unknown.get("unsupported") is not True:
            raise HarnessError(f"an unknown command must be answered `unsupported`: {show(unknown)}")

    def _require(self, number: int, what: str) -> dict[str, Any]:
        reply = self.answer(number, self.limits.start)
        if reply is None:
            raise NoAnswer(self.unanswered(what))
        return reply

    def unanswered(self, what: str) -> str:
        """A sentence about a command without a reply."""
        ended = f"it ended with {describe_status(self.subject.status or 0)}"
        late = f"no reply came within {self.limits.start:g} s"
        return f"the adapter did not answer {what}: {ended if self.exited else late}"

    def open(self, extra: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Lets the adapter open the channel, with ``extra`` fields in the command; returns its reply.

        In the parent role, waits for the puppet. Raises :class:`NoChannel` when it was started without a channel.
        """
        puppet = self.puppet
        command: dict[str, Any] = {"command": "open", **(extra or {})}
        if puppet is not None:
            command["argv"] = puppet.argv
        reply = self.answer(self.ask(command), self.limits.start)
        self.opened = reply is not None and reply["ok"]
        if self.opened:
            self.meet()
        return reply

    def meet(self) -> None:
        """Waits until the subject has started the puppet. Raises :class:`NoChannel` when it did so without a channel."""
        puppet = self.puppet
        if puppet is None:
            return
        if not self.wait(lambda: puppet.facts is not None or self.exited, self.limits.start):
            raise NoAnswer("the puppet child never came: the subject must start the command it is given")
        if puppet.channel is not None:
            self._channel = self._end(puppet.channel, self.subject.pid)
            puppet.channel = None
            self.transcript.note(f"the puppet child is there: {show(puppet.facts)}")
        elif not self.exited:
            self.opened = False
            raise NoChannel(f"the puppet child found no channel: {show(puppet.facts)}")

    # ---- the end -------------------------------------------------------------------------------------------

    def close_channel(self) -> None:
        """Closes the kit's end after reading the bytes that wait, because unread bytes would turn the close into a reset."""
        if self._channel is not None and not self._channel.closed:
            self._drain()
            self.kit_ended_first = self.kit_ended_first or not self._channel.eof
            self._channel.close()

    def shutdown_channel(self) -> None:
        """Half-closes the kit's end."""
        self._drain()
        self.kit_ended_first = self.kit_ended_first or not self.channel.eof
        self.channel.shutdown()

    def release_strays(self) -> int:
        """Closes received descriptors that no step took; returns their number in this session."""
        if self._channel is None:
            return 0
        self._channel.release_all()
        return self._channel.strays

    def kill(self) -> None:
        """Kills the subject's group; safe from another thread."""
        self.subject.kill()

    def close(self) -> None:
        """Kills the remaining processes and closes all descriptors of the session."""
        try:
            if self._channel is not None:
                self._channel.dispose()
        finally:
            try:
                self.subject.close()
            finally:
                for link in self.links:
                    link.close()


def _is_internal(value: Any) -> bool:
    command = value.get("cmd") if isinstance(value, dict) else None
    return isinstance(command, str) and command.startswith("NODE_")
