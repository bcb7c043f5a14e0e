"""The steps about ports of this machine, which primaries and workers open."""

from typing import Any

from channelkit.steps.kept import fill_value
from channelkit.steps.scene import CaseEnded, Scene

Step = dict[str, Any]


def visit(scene: Scene, step: Step) -> None:
    """``visit``: the kit connects to a port."""
    port = fill_value(scene.session.kept, step["visit"])
    if not scene.sockets.visit(step["name"], port):
        raise CaseEnded("unreached", f"nobody listens at port {port}")


def hang_up(scene: Scene, step: Step) -> None:
    """``hangup``: the kit closes the counterpart of a socket."""
    scene.sockets.hang_up(step["hangup"])


def listen(scene: Scene, step: Step) -> None:
    """``listen``: the kit listens on a socket that it received."""
    if not scene.sockets.listen(step["listen"]):
        raise CaseEnded("bad-descriptor", f"{step['listen']} is not bound")


def refuses(scene: Scene, step: Step) -> None:
    """``refuses``: nobody listens at a port any more."""
    session = scene.session
    port = fill_value(session.kept, step["refuses"])
    if port in scene.addresses:
        port = int(scene.addresses[port].rpartition(":")[2])
    if not session.wait(lambda: not scene.sockets.visit("", port), session.limits.answer):
        raise CaseEnded("still-listening", f"somebody listens at port {port}")


STEPS = {"visit": visit, "hangup": hang_up, "listen": listen, "refuses": refuses}
"""By the key that says what a step is."""
