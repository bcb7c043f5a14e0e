"""Steps of the sockets of a case: those that the kit makes and receives, and their peers."""

import errno
import os
from collections.abc import Callable

from channelkit.errors import HarnessError
from channelkit.steps.commands import collect_replies
from channelkit.steps.kept import fill_value
from channelkit.steps.kinds import NAME, TEXT, TRUE, Step, step, word_or_value
from channelkit.steps.scene import CaseEnded, DeclaredUnsupported, Scene
from channelkit.steps.sockets import KINDS, port_of
from channelkit.wire.values import show


@step(
    word_or_value(*KINDS),
    "The kit makes a socket to send, or a `file` or a `pipe`. `tcp-bound` is bound and does not listen; `tcp-unbound` is not bound. "
    "Of a connection, such as `tcp-client`, "
    'the kit keeps the far end, the peer. With `"blocking": true` the socket is in blocking mode',
    "KIND",
    members={"name": NAME},
    optional={"blocking": TRUE},
    echo=True,
)
def make(scene: Scene, step: Step) -> None:
    """Makes a socket of the kit."""
    try:
        scene.sockets.make(step["make"], step["name"], blocking="blocking" in step)
        scene.session.kept[step["name"]] = scene.sockets.port(step["name"])
    except OSError as error:
        if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            raise
        raise DeclaredUnsupported(f"this machine has no {step['make']}: {error.strerror}") from error


@step(NAME, "The kit closes its own copy of a socket", "N", echo=True)
def close_own(scene: Scene, step: Step) -> None:
    """Closes the kit's copy; the peer stays."""
    scene.sockets.close_own(step["close_own"])


@step(NAME, "The kit closes the peer of a socket", "N", echo=True)
def close_peer(scene: Scene, step: Step) -> None:
    """Closes the peer."""
    scene.sockets.counterpart(step["close_peer"]).close()


@step(
    NAME,
    "The kit listens on a socket that it received, else the outcome is `bad-descriptor`: the socket has to be bound",
    "N",
    outcomes=("bad-descriptor",),
)
def listen(scene: Scene, step: Step) -> None:
    """Listens on a received socket."""
    if not scene.sockets.listen(step["listen"]):
        raise CaseEnded("bad-descriptor", f"{step['listen']} is not bound")


@step(NAME, "The kit connects to a server that the subject or the kit made", "S", members={"name": NAME})
def connect_server(scene: Scene, step: Step) -> None:
    """Connects to a server."""
    server = step["connect_server"]
    address = scene.addresses.get(server) or scene.sockets.address(server)
    if address is None:
        raise HarnessError(f"the case has no server {server}")
    scene.sockets.connect(step["name"], address)


@step(
    NAME,
    "The kit connects to a port of this machine that an earlier step kept, else the outcome is `unreached`",
    '"@P@"',
    members={"name": NAME},
    outcomes=("unreached",),
)
def connect_port(scene: Scene, step: Step) -> None:
    """Connects to a port."""
    port = fill_value(scene.session.kept, step["connect_port"])
    if not isinstance(port, int) or not scene.sockets.connect_port(step["name"], port):
        raise CaseEnded("unreached", f"no process listens at port {port}")


@step(
    NAME,
    "No process listens any more at a kept port, or at a server S of the subject, else the outcome is `still-listening`",
    '"@P@" or S',
    outcomes=("still-listening",),
)
def expect_no_listener(scene: Scene, step: Step) -> None:
    """Waits until a port refuses connections."""
    session = scene.session
    port = fill_value(session.kept, step["expect_no_listener"])
    if port in scene.addresses:
        port = port_of(scene.addresses[port])
    # A worker may wait for the end of each connection, so the probe closes its connection at once.
    if not session.wait(lambda: not scene.sockets.probe(port), session.limits.answer):
        raise CaseEnded("still-listening", f"a process listens at port {port}")


@step(NAME, "The kit writes T to the peer of socket N", "N", members={"text": TEXT}, echo=True)
def write_peer(scene: Scene, step: Step) -> None:
    """Writes to the peer."""
    scene.sockets.counterpart(step["write_peer"]).send(step["text"].encode())


@step(
    NAME,
    "The kit reads T from its own copy of socket N, else the outcome is `lost`: another process read it",
    "N",
    members={"text": TEXT},
    outcomes=("lost",),
    echo=True,
)
def read_own(scene: Scene, step: Step) -> None:
    """Shows that data from the peer is still readable on the kit's copy: the subject consumed none."""
    text = step["text"].encode()
    got = scene.sockets.read_own(step["read_own"], text, _waits(scene))
    if got != text:
        raise CaseEnded("lost", f"expected {text!r} on {step['read_own']}, got {got!r}")


@step(
    NAME,
    "T arrives at the peer of socket N, written by the subject's `prove`, else the outcome is `unreached`. "
    "A `prove` right before it runs at the same time",
    "N",
    members={"text": TEXT},
    outcomes=("unreached",),
)
def expect_at_peer(scene: Scene, step: Step) -> None:
    """Reads at the peer the text that the subject wrote to a handle."""
    name, text = step["expect_at_peer"], step["text"].encode()
    if name in scene.addresses:
        address = scene.addresses[name]
        try:
            scene.sockets.connect(name, address)
        except OSError as error:  # the address came from the subject and may be wrong
            raise CaseEnded(
                "unreached", f"no process listens at {show(address, 80)}: {error.strerror}"
            ) from error
    got = scene.sockets.read_at_peer(name, text, _waits(scene))
    collect_replies(scene)
    if got != text:
        raise CaseEnded("unreached", f"expected {text!r} at the peer of {name}, got {got!r}")


@step(
    NAME,
    "The connection N ends once the kit closes its own copy, else the outcome is `kept`: another process holds a copy. "
    "For a server of the kit, N is the connection that waits there, or the latest one that the kit accepted",
    "N",
    outcomes=("kept",),
    echo=True,
)
def expect_closed(scene: Scene, step: Step) -> None:
    """Waits until the peer sees the end of a connection."""
    name = step["expect_closed"]
    if not scene.sockets.sees_end(name, _waits(scene)):
        raise CaseEnded("kept", f"another process holds a copy of {name}, or of the connection to it")


@step(
    NAME,
    "The subject has put socket N in non-blocking mode, which the kit's copy shows, else the outcome is `left-blocking`",
    "N",
    outcomes=("left-blocking",),
)
def expect_nonblocking(scene: Scene, step: Step) -> None:
    """Looks at the mode of a socket, which all its copies share."""
    name = step["expect_nonblocking"]
    if os.get_blocking(scene.sockets.descriptor(name)):
        raise CaseEnded("left-blocking", f"{name} is in blocking mode still")


def _waits(scene: Scene) -> Callable[[Callable[[], bool], int], bool]:
    """Waits for a condition as long as for an answer. The condition may come true when a descriptor becomes readable."""
    session = scene.session
    return lambda done, end: session.wait(done, session.limits.answer, end)
