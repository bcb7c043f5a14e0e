"""The steps of a case, one function each. A step that goes wrong ends the case with an outcome."""

import errno
import os
from collections.abc import Callable, Iterator
from typing import Any

from channelkit.errors import HarnessError
from channelkit.process.puppetlink import PuppetLink
from channelkit.steps import ports
from channelkit.steps.expect import Expectation, expect
from channelkit.steps.kept import fill, fill_value
from channelkit.steps.opening import open_channel
from channelkit.steps.scene import CaseEnded, DeclaredUnsupported, Scene, ended_outcome
from channelkit.wire.compare import contains
from channelkit.wire.segments import Cut
from channelkit.wire.values import compact, expand, show

Step = dict[str, Any]

_ONE_READ = 16384
"""Bytes that fit into the buffer of the channel while nobody reads."""


def run_steps(scene: Scene, steps: list[Step], cuts: list[Cut]) -> None:
    """Runs all steps; ``cuts`` holds one cut per write. Raises :class:`CaseEnded`."""
    remaining = iter(cuts)
    for index, step in enumerate(steps):
        scene.session.transcript.note(show(step, 200), "step")
        following = steps[index + 1] if index + 1 < len(steps) else {}
        run_step(scene, step, remaining, concurrent="reach" in following)
    _collect(scene)


def run_step(scene: Scene, step: Step, cuts: Iterator[Cut], *, concurrent: bool) -> None:
    """Runs one step. ``concurrent``: a poke need not be answered before the next step."""
    name = step_name(step)
    if name == "write":
        write(scene, step, next(cuts))
    elif name == "do":
        do(scene, step, concurrent=concurrent)
    else:
        _STEPS[name](scene, step)


def step_name(step: Step) -> str:
    """The key that says what a step is."""
    for name in ("write", "do", *_STEPS):
        if name in step:
            return name
    raise HarnessError(f"unknown step {show(step)}")


def write(scene: Scene, step: Step, cut: Cut) -> None:
    """``write``: bytes to the subject, every piece a read of its own as far as the system lets us see that."""
    names = step.get("fd", [])
    descriptors = [scene.sockets.descriptor(name) for name in ([names] if isinstance(names, str) else names)]
    if _wants_one_read(cut):
        with scene.session.subject.stopped():
            _write_pieces(scene, cut, descriptors, patient=False)
    else:
        _write_pieces(scene, cut, descriptors, patient=True)
    if cut and cut[-1].data:
        scene.whole_line = cut[-1].data.endswith(b"\n")


def _wants_one_read(cut: Cut) -> bool:
    """Whether plain messages and a frame with a descriptor, which take a write each, are to arrive in one read."""
    return len(cut) > 1 and cut[0].glued and sum(len(piece.data) for piece in cut) < _ONE_READ


def _write_pieces(scene: Scene, cut: Cut, descriptors: list[int], *, patient: bool) -> None:
    """Writes one after the other; ``patient``: each once the one before it has been read."""
    session = scene.session
    for index, piece in enumerate(cut):
        if index and patient:
            limits = session.limits
            patient = session.settle(limits.answer if session.channel.heard or index > 1 else limits.start)
        data = fill(session.kept, piece.data)
        data = session.new_probe() + data if piece.glued else data
        if not session.write(data, descriptors if piece.descriptor else ()):
            raise CaseEnded("silent", "the subject stopped reading")


def make(scene: Scene, step: Step) -> None:
    """``make``: a socket of the kit."""
    try:
        scene.sockets.make(step["make"], step["name"], blocking="blocking" in step)
        scene.session.kept[step["name"]] = scene.sockets.port(step["name"])
    except OSError as error:
        if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            raise
        raise DeclaredUnsupported(f"this machine has no {step['make']}: {error.strerror}") from error


def allow(scene: Scene, step: Step) -> None:
    """``allow``: events that are neither expected nor unexpected from here on."""
    scene.session.allowed.append(step["allow"])


def drop(scene: Scene, step: Step) -> None:
    """``drop``: the kit closes its copy."""
    scene.sockets.drop(step["drop"])


def expect_step(scene: Scene, step: Step) -> None:
    """``expect``: waits for the first of several things."""
    wanted = fill_value(scene.session.kept, step["expect"])
    expect(scene, [Expectation(entry) for entry in (wanted if isinstance(wanted, list) else [wanted])])


def barrier(scene: Scene, _step: Step) -> None:
    """``barrier``: a probe comes back and nothing else came before it."""
    session = scene.session
    if not session.write(session.new_probe()):
        raise CaseEnded("silent", "the subject stopped reading")
    session.await_start()
    over = session.channel
    session.wait(lambda: not session.probes or session.exited or over.eof, session.limits.answer)
    # An adapter's events may still be on their way when the channel is gone already.
    if session.probes and over.eof and session.plan.driven:
        session.wait(lambda: not session.probes or session.exited, session.limits.grace)
    if session.frames:
        raise CaseEnded("unexpected", f"the subject wrote {session.frames[0]}")
    if session.events:
        raise CaseEnded("unexpected", f"the adapter reported {show(session.events[0])}")
    if over.tail:
        raise CaseEnded("unexpected", f"the subject wrote {over.tail[:200]!r} without a line feed")
    if over.descriptors:
        raise CaseEnded("unexpected", f"{len(over.descriptors)} descriptors came that nobody asked for")
    if session.probes:
        raise CaseEnded(*ended_outcome(session, "the probe never came back"))


def do(scene: Scene, step: Step, *, concurrent: bool) -> None:
    """``do``: a command to the adapter and its reply."""
    session = scene.session
    command = _filled(scene, step["do"])
    if command["command"] == "open":
        _open(scene, step, command)
        return
    number = session.ask(command)
    if command["command"] == "exit":
        return
    scene.unanswered.append((number, step))
    if step.get("later"):
        if command["command"] == "send":
            _await_write(scene, number)
    elif not (concurrent and command["command"] == "poke"):
        _collect(scene)


def _await_write(scene: Scene, number: int) -> None:
    """Until the subject begins to write what it was told to send."""
    session, channel = scene.session, scene.session.channel
    session.wait(lambda: channel.waiting or session.replied(number), session.limits.answer, channel.fileno())


def _filled(scene: Scene, command: dict[str, Any]) -> dict[str, Any]:
    """The command with what only the run knows: long values, names of handles, addresses, what to start."""
    filled: dict[str, Any] = {name: expand(value) for name, value in command.items()}
    if filled.get("handle") == "$handle":
        filled["handle"] = scene.latest_handle
    to = filled.get("to")
    if isinstance(to, str):
        known = scene.addresses.get(to) or scene.sockets.address(to)
        filled["to"] = scene.sockets.path if to == "$path" else known or to
    if filled["command"] == "start":
        scene.session.bystander = PuppetLink("bystander")
        filled["argv"] = scene.session.bystander.argv
    return filled


def _open(scene: Scene, step: Step, command: dict[str, Any]) -> None:
    try:
        open_channel(scene.session, {name: value for name, value in command.items() if name != "command"})
    except CaseEnded as ended:
        if "refused" not in step or ended.outcome not in ("refused", "closed", "died"):
            raise
        scene.outcome = step["refused"]


def _collect(scene: Scene) -> None:
    """Takes the replies that are due."""
    while scene.unanswered:
        number, step = scene.unanswered.pop(0)
        command = step["do"]
        reply = _reply_to(scene, number, command)
        if reply["ok"]:
            if isinstance(reply.get("address"), str) and "name" in command:
                scene.addresses[command["name"]] = reply["address"]
        elif "refused" in step:
            scene.outcome = step["refused"]
        else:
            raise CaseEnded("refused", f"{command['command']} was refused: {show(reply.get('error'))}")


def _reply_to(scene: Scene, number: int, command: dict[str, Any]) -> dict[str, Any]:
    reply = scene.session.answer(number, scene.session.limits.answer)
    if reply is None:
        raise CaseEnded(*ended_outcome(scene.session, f"no reply to {command['command']}"))
    if reply.get("unsupported") is True:
        raise DeclaredUnsupported(f"the adapter declares {command['command']} unsupported")
    return reply


def reply(scene: Scene, step: Step) -> None:
    """``reply``: the reply to the oldest command that was sent with ``later``."""
    number, asked = scene.unanswered.pop(0)
    got = _reply_to(scene, number, asked["do"])
    if not contains(step["reply"], got):
        raise CaseEnded("unexpected", f"{asked['do']['command']} was answered {show(got)}")


def answer(scene: Scene, step: Step) -> None:
    """``answer``: the kit writes a message with the key of the latest question."""
    key = scene.session.latest_key
    if key is None:
        raise CaseEnded("no-key", "the subject wrote no key that an answer could repeat")
    scene.session.write(compact({"key": key, **step["answer"]}) + b"\n")


def reach(scene: Scene, step: Step) -> None:
    """``reach``: the bytes that the subject's poke wrote arrive at the counterpart."""
    session = scene.session
    text = step["text"].encode()
    if step["reach"] in scene.addresses:
        address = scene.addresses[step["reach"]]
        try:
            scene.sockets.connect(step["reach"], address)
        except (FileNotFoundError, ConnectionError) as error:
            raise CaseEnded("unreached", f"nobody listens at {address}: {error.strerror}") from error
    got = scene.sockets.reach(
        step["reach"], text, lambda done, end: session.wait(done, session.limits.answer, end)
    )
    _collect(scene)
    if got != text:
        raise CaseEnded("unreached", f"expected {text!r} at the counterpart of {step['reach']}, got {got!r}")


def close(scene: Scene, _step: Step) -> None:
    """``close``: the kit closes its end."""
    scene.session.close_channel()


def shutdown(scene: Scene, _step: Step) -> None:
    """``shutdown``: the kit half-closes its end."""
    scene.session.shutdown_channel()


def stopped(scene: Scene, step: Step) -> None:
    """``stopped``: the subject does nothing until it is let go, and then finds all that happened meanwhile at once."""
    if step["stopped"]:
        scene.session.subject.stop()
    else:
        scene.session.subject.resume()


def end(scene: Scene, step: Step) -> None:
    """``end``: the puppet child ends as told."""
    puppet = scene.session.puppet
    if puppet is None:
        raise HarnessError("only in the parent role there is a puppet child to end")
    session = scene.session
    with puppet.process() as process:
        puppet.order(step["end"])
        # Its descriptors are closed a moment before its parent can see that it has ended.
        if not session.wait(lambda: puppet.ended and process.over, session.limits.end, process.pidfd):
            raise HarnessError("the puppet child did not end")
    if not puppet.obeyed:
        raise CaseEnded("killed", "somebody ended the child before it was told to end")


def connect(scene: Scene, step: Step) -> None:
    """``connect``: the kit connects to a server of the subject."""
    scene.sockets.connect(step["name"], scene.addresses[step["connect"]])


def feed(scene: Scene, step: Step) -> None:
    """``feed``: the kit writes to the counterpart of a socket."""
    scene.sockets.feed(step["feed"], step["text"].encode())


def taste(scene: Scene, step: Step) -> None:
    """``taste``: what the counterpart wrote is there for whoever holds the socket, and nobody else has read it."""
    session, text = scene.session, step["text"].encode()
    got = scene.sockets.taste(
        step["taste"], text, lambda done, end: session.wait(done, session.limits.answer, end)
    )
    if got != text:
        raise CaseEnded("lost", f"expected {text!r} on {step['taste']}, got {got!r}")


def nonblocking(scene: Scene, step: Step) -> None:
    """``nonblocking``: the subject has changed the mode of a socket, which the kit's copy shows."""
    if os.get_blocking(scene.sockets.descriptor(step["nonblocking"])):
        raise CaseEnded("left-blocking", f"{step['nonblocking']} is in blocking mode still")


def gone(scene: Scene, step: Step) -> None:
    """``gone``: a connection ends, because nobody holds its other end any more."""
    session = scene.session
    if not scene.sockets.gone(step["gone"], lambda done, end: session.wait(done, session.limits.answer, end)):
        raise CaseEnded("kept", f"somebody holds a copy of {step['gone']}, or of the connection to it")


def reading(scene: Scene, step: Step) -> None:
    """``reading``: how many bytes the kit reads at once from here on."""
    scene.session.channel.portion = step["reading"]


def buffer(scene: Scene, step: Step) -> None:
    """``buffer``: how much the kernel keeps of what the kit writes."""
    scene.session.channel.limit_buffer(step["buffer"])


def descriptors(scene: Scene, step: Step) -> None:
    """``descriptors``: fills the subject's table of descriptors, or compares how many are in it."""
    session = scene.session
    table = session.subject.table
    word = step["descriptors"]
    if not table.available:
        raise DeclaredUnsupported("this system does not let the kit look at the descriptors of a process")
    if word == "private":
        if not session.wait(lambda: not table.inheritable or session.exited, session.limits.answer):
            raise CaseEnded("inheritable", f"a child of the subject would inherit {table.inheritable}")
    elif word == "same":
        if not session.wait(lambda: table.same or session.exited, session.limits.answer):
            raise CaseEnded("leaked", f"the subject holds {table.surplus}")
    else:
        {"full": table.fill, "free": table.free, "count": table.remember}[word]()


def meter(scene: Scene, step: Step) -> None:
    """``meter``: the processor time that the subject used since the last such step, under a name; the least of several."""
    table = scene.session.subject.table
    if not table.available:
        raise DeclaredUnsupported("this system does not let the kit look at what a process uses")
    now = table.processor_time
    used = now - scene.metered
    scene.costs[step["meter"]] = min(used, scene.costs.get(step["meter"], used))
    scene.metered = now
    scene.session.transcript.note(f"{step['meter']}: the subject used {used:.3f} s of processor time")


def ratio(scene: Scene, step: Step) -> None:
    """``ratio``: one cost is at most so many times another."""
    more, less = (scene.costs[name] for name in step["ratio"])
    if more > step["most"] * less:
        raise CaseEnded(
            "costly",
            f"{step['ratio'][0]} took {more:.3f} s of processor time, {step['ratio'][1]} {less:.3f} s",
        )


_STEPS: dict[str, Callable[[Scene, Step], None]] = {
    "make": make,
    "drop": drop,
    "allow": allow,
    "expect": expect_step,
    "barrier": barrier,
    "reply": reply,
    "answer": answer,
    "reach": reach,
    "connect": connect,
    **ports.STEPS,
    "feed": feed,
    "taste": taste,
    "nonblocking": nonblocking,
    "close": close,
    "shutdown": shutdown,
    "stopped": stopped,
    "end": end,
    "gone": gone,
    "reading": reading,
    "buffer": buffer,
    "descriptors": descriptors,
    "meter": meter,
    "ratio": ratio,
}
