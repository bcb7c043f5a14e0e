"""Steps of the control channel: commands to the adapter, their replies, its events."""

from typing import Any

from channelkit.process.puppetlink import PuppetLink
from channelkit.steps.kinds import NAME, OBJECT, TRUE, Step, step, words
from channelkit.steps.opening import open_channel
from channelkit.steps.scene import CaseEnded, DeclaredUnsupported, Scene, ended_outcome
from channelkit.wire.compare import contains
from channelkit.wire.values import expand, show


@step(
    {
        "type": "object",
        "required": ["command"],
        "properties": {
            "command": words(
                "open",
                "send",
                "disconnect",
                "exit",
                "make",
                "prove",
                "accept",
                "getConnections",
                "start",
                "close",
            ),
            "id": False,
        },
    },
    "The kit gives the adapter a command and waits for its reply. In `to` the name of a socket stands for its address, "
    "and `$path` for a new path. "
    '`"refused": OUTCOME` names the outcome of a refusal, which is `refused` otherwise. '
    'With `"later": true` the kit waits only until the subject begins to write. The reply is then due at the next `do` '
    "or `expect_reply`, or at the end. "
    "A `do` of `open` opens the channel; in a case without `open` the runner opens the channel before the first step",
    '{"command": C, …}',
    optional={"refused": NAME, "later": TRUE},
    roles=("child", "parent"),
    rung=1,
    outcomes=("refused", "no-channel"),
)
def do(scene: Scene, step: Step) -> None:
    """Gives a command; a ``prove`` before ``expect_at_peer`` may end after the bytes have been seen."""
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
    elif not (command["command"] == "prove" and "expect_at_peer" in scene.following):
        collect_replies(scene)


def _await_write(scene: Scene, number: int) -> None:
    """Waits until the subject begins to write the message of the command."""
    session, channel = scene.session, scene.session.channel
    session.wait(lambda: channel.waiting or session.replied(number), session.limits.answer, channel.fileno())


def _filled(scene: Scene, command: dict[str, Any]) -> dict[str, Any]:
    """The command with the values that only the run knows: long values, names of handles, addresses, programs to start."""
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


def collect_replies(scene: Scene) -> None:
    """Takes the replies that are due. Raises :class:`CaseEnded` for a refusal that no step names."""
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


@step(
    OBJECT,
    "The kit waits for the reply to the oldest command that was given with `later`, and compares the named members",
    "{…}",
    roles=("child", "parent"),
    rung=1,
)
def expect_reply(scene: Scene, step: Step) -> None:
    """Compares a reply that came later."""
    number, asked = scene.unanswered.pop(0)
    got = _reply_to(scene, number, asked["do"])
    if not contains(step["expect_reply"], got):
        raise CaseEnded("unexpected", f"{asked['do']['command']} was answered {show(got)}")


@step(
    OBJECT,
    "From here on the adapter may report events with these members, and the kit ignores them. A library may report an error about bad "
    "input, or not",
    "{…}",
)
def allow_event(scene: Scene, step: Step) -> None:
    """Lets the session drop events with these members."""
    scene.session.allow_events(step["allow_event"])


@step(
    OBJECT,
    "From here on the subject may write frames with these members, and the kit ignores them. No rule says whether or when they come",
    "{…}",
    echo=True,
)
def allow_frame(scene: Scene, step: Step) -> None:
    """Lets the session drop frames with these members."""
    scene.session.allow_frames(step["allow_frame"])
