"""The ``expect`` step: waits for the first of several events on the wire, of the adapter or of the process."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from channelkit.process.session import Session
from channelkit.schema import Rules
from channelkit.steps.kept import fill_value, has_member, member
from channelkit.steps.kinds import NAME, OBJECT, TEXT, TRUE, Step, one_or_several, step, text_like, words
from channelkit.steps.scene import CaseEnded, Scene, ended_outcome
from channelkit.steps.sockets import fault_of
from channelkit.steps.wanted import missing, wrong_byte
from channelkit.wire.compare import contains, equal
from channelkit.wire.serialization import Frame
from channelkit.wire.values import show, untag


@dataclass(frozen=True, slots=True)
class Awaited:
    """A kind of event that an expectation can name."""

    value: Rules
    meaning: str
    """The condition in Markdown, for the table in ``conformance/README.md``."""
    example: str
    optional: Mapping[str, Rules] = field(default_factory=dict)

    def rules(self, name: str) -> dict[str, Any]:
        """The schema of an expectation of this kind."""
        return {
            "title": name,
            "type": "object",
            "required": [name],
            "properties": {name: self.value, **self.optional, "as": NAME, "stop": TRUE},
            "additionalProperties": False,
        }


_ON_FRAME: dict[str, Rules] = {
    "fd": NAME,
    "at": {
        "description": "The byte of the frame that the descriptor came with, while the kit reads single bytes.",
        "type": "integer",
        "minimum": 0,
    },
    "keep": {
        "description": "Members of the frame that later steps use, by name: the path of each.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": NAME,
    },
}

AWAITED: dict[str, Awaited] = {
    "frame": Awaited(
        True,
        "The next frame on the wire that is no echo of a probe. "
        '`"subset": true` compares only the named members. `"fd": NAME` demands a descriptor and keeps it under that name. `"at": '
        "N` demands that it came with byte N, "
        'which the kit sees while it reads single bytes. `"keep": {NAME: PATH}` keeps a member of the frame for later steps, in which '
        '`"@NAME@"` stands for it; '
        "the path `.` is the whole frame",
        "V",
        {"subset": TRUE, **_ON_FRAME},
    ),
    "text": Awaited(
        TEXT,
        "The next frame without its delimiters, compared byte by byte; with the same members as `frame`",
        "S",
        _ON_FRAME,
    ),
    "hex": Awaited(
        text_like("([0-9a-fA-F]{2})*"),
        "The same with bytes in hex",
        "H",
        _ON_FRAME,
    ),
    "delivered": Awaited(
        True,
        "The subject has delivered this message: at rung 0 the echo on the wire, else the adapter's `message` event. "
        '`"handle": TYPE` demands a handle of that type and makes it the *latest received*, named `$handle` in later `do` steps',
        "V",
        {"handle": NAME},
    ),
    "event": Awaited(OBJECT, "An event of the adapter with at least these members", "{…}"),
    "eof": Awaited(
        TRUE,
        'The subject ended its side; with `"both": true`, both directions have ended',
        "true",
        {"both": TRUE},
    ),
    "exit": Awaited(
        words("zero", "nonzero", "signal"), "The process of the subject has ended this way", "WORD"
    ),
    "child": Awaited(
        OBJECT,
        "Roles `parent` and `primary`: the report of the puppet child has at least these members. A report holds `env`, the "
        "`NODE_CHANNEL_` variables; `inherited`, the descriptor numbers; `plain`, whether the number has no sign, blank or leading zero; "
        "`blocking`, the mode of the channel; `socket`, its family and type; "
        "`entries`, the variables of the raw environment; `argv`",
        "{…}",
    ),
    "started": Awaited(OBJECT, "Like `child`, for the process of the command `start`", "{…}"),
    "silence": Awaited(TRUE, "No frame, event or end comes within the limit", "true"),
}
"""The kinds of events that a step can wait for, by the member that names them."""

_WROTE = "the subject wrote "


@dataclass(frozen=True)
class Expectation:
    """An alternative of an ``expect`` step."""

    entry: dict[str, Any]

    @cached_property
    def kind(self) -> str:
        """A name of :data:`AWAITED`."""
        return next(name for name in self.entry if name in AWAITED)

    @cached_property
    def wanted(self) -> Any:
        """The value to compare with."""
        return untag(self.entry[self.kind], large=True)


@step(
    one_or_several({"$ref": "#/$defs/expectation"}),
    'The kit waits for E, or for the first of several. `"as": OUTCOME` in E names the outcome, and `"stop": true` ends the case there',
    "E or [E…]",
    outcomes=("no-descriptor", "bad-descriptor", "blocking-descriptor", "misplaced-descriptor", "half-open"),
)
def expect(scene: Scene, step: Step) -> None:
    """Waits for the first alternative that comes true and names the outcome after it. Raises :class:`CaseEnded`."""
    session = scene.session
    alternatives = _alternatives(session, step)
    found: list[Expectation] = []

    def decided() -> bool:
        found[:] = [one for one in alternatives if _matches(session, one)][:1]
        return (
            bool(found)
            or _nothing_else_can_come(session, alternatives)
            or bool(_misfit(session, alternatives))
        )

    session.await_start()
    session.wait(decided, _patience(session, alternatives))
    chosen = found[0] if found else None
    if chosen is None or chosen.kind == "eof":
        chosen = _exit_after_eof(session, alternatives) or chosen
    if chosen is None:
        chosen = _without_match(session, alternatives)
    _take(scene, chosen)


def _alternatives(session: Session, step: Step) -> list[Expectation]:
    wanted = fill_value(session.kept, step["expect"])
    return [Expectation(entry) for entry in (wanted if isinstance(wanted, list) else [wanted])]


def _patience(session: Session, alternatives: list[Expectation]) -> float:
    if all(one.kind == "silence" for one in alternatives):
        return session.limits.silence
    return session.limits.answer


def _on_wire(session: Session, one: Expectation) -> bool:
    """Whether the alternative looks at the next frame."""
    return one.kind in ("frame", "text", "hex", "eof") or (
        one.kind == "delivered" and not session.plan.driven
    )


def _by_adapter(session: Session, one: Expectation) -> bool:
    """Whether the alternative looks at the adapter's events."""
    return one.kind == "event" or (one.kind == "delivered" and session.plan.driven)


# ---- matching ------------------------------------------------------------------------------------------------


def _matches(session: Session, one: Expectation) -> bool:
    if one.kind in ("frame", "text", "hex") or (one.kind == "delivered" and not session.plan.driven):
        frames = _queue(session, one)
        return bool(frames) and _frame_fits(session, one, frames[0])
    if _by_adapter(session, one):
        event = _event(session, one)
        return event is not None and _event_fits(one, event)
    if one.kind == "eof":
        return session.channel.eof and not (session.frames or session.answers)
    if one.kind == "exit":
        return session.exited and _exit_kind(session.status or 0) == one.wanted
    if one.kind == "child":
        return session.puppet is not None and contains(one.wanted, session.puppet.facts)
    if one.kind == "started":
        return session.bystander is not None and contains(one.wanted, session.bystander.facts)
    return False


def _queue(session: Session, one: Expectation) -> deque[Frame]:
    """Where the frame that an alternative waits for arrives."""
    command = one.entry["frame"].get("cmd") if isinstance(one.entry.get("frame"), dict) else None
    internal = isinstance(command, str) and command.startswith("NODE_")
    return (
        session.answers
        if internal and session.plan.role == "child" and not session.plan.driven
        else session.frames
    )


def _frame_fits(session: Session, one: Expectation, frame: Frame) -> bool:
    if one.kind == "text":
        return frame.raw == str(one.entry["text"]).encode("utf-8", "surrogateescape")
    if one.kind == "hex":
        return frame.raw == bytes.fromhex(one.entry["hex"])
    if frame.problem:
        return False
    if one.kind == "delivered":
        return equal(session.echo(one.wanted), frame.value)
    # Messages of the channel itself may have members of later versions (HND-039).
    same = contains if one.entry.get("subset") or _is_answer(one.wanted) else equal
    return same(_with_key(one.wanted, session.latest_key), frame.value)


def _is_answer(message: Any) -> bool:
    return isinstance(message, dict) and message.get("cmd") in ("NODE_HANDLE_ACK", "NODE_HANDLE_NACK")


def _with_key(wanted: Any, key: str | None) -> Any:
    """The value to compare with; ``$key`` stands for the latest key that the subject wrote."""
    return {**wanted, "key": key} if isinstance(wanted, dict) and wanted.get("key") == "$key" else wanted


def _event(session: Session, one: Expectation) -> dict[str, Any] | None:
    """The first waiting event of the kind that the alternative is about, or the error that was reported before it."""
    name = "message" if one.kind == "delivered" else one.wanted.get("event")
    return next(
        (event for event in session.events if name is None or event["event"] in (name, "error")), None
    )


def _event_fits(one: Expectation, event: dict[str, Any]) -> bool:
    if one.kind == "event":
        return contains(one.wanted, event)
    handle = event.get("handle")
    given = handle.get("type") if isinstance(handle, dict) else None
    if one.entry.get("handle") != given:
        return False
    return "message" in event and equal(one.wanted, event["message"])


def _exit_kind(status: int) -> str:
    return "zero" if status == 0 else "nonzero" if status > 0 else "signal"


# ---- when no alternative matches -----------------------------------------------------------------------------


def _misfit(session: Session, alternatives: list[Expectation]) -> str:
    """The event that came instead, in words; empty while an alternative can still come true."""
    found = [_queue(session, one) for one in alternatives if _on_wire(session, one)]
    if found and all(found):
        return f"{_WROTE}{found[0][0]}"
    watched = [one for one in alternatives if _by_adapter(session, one)]
    for one in watched:
        event = _event(session, one)
        if event is not None:
            return f"the adapter reported {show(event)}"
    if watched:
        for event in session.events:
            if event["event"] == "error":
                return f"the adapter reported {show(event)}"
    if session.events and all(one.kind == "silence" for one in alternatives):
        return f"the adapter reported {show(session.events[0])}"
    waiting = session.frames or session.answers
    if waiting and all(one.kind == "silence" for one in alternatives):
        return f"{_WROTE}{waiting[0]}"
    return ""


def _nothing_else_can_come(session: Session, alternatives: list[Expectation]) -> bool:
    if session.exited:
        return True
    if not session.channel.eof:
        return False
    if any(_on_wire(session, one) for one in alternatives):
        return True
    # The adapter may still report messages that came before the end; its own `disconnect` comes last.
    delivered = any(one.kind == "delivered" for one in alternatives)
    return delivered and any(event["event"] == "disconnect" for event in session.events)


def _exit_after_eof(session: Session, alternatives: list[Expectation]) -> Expectation | None:
    """The awaited exit that follows the end of the channel, if it does."""
    exits = [one for one in alternatives if one.kind == "exit"]
    if not exits or not session.channel.eof:
        return None
    ended_outcome(session, "")
    return next((one for one in exits if _matches(session, one)), None)


def _without_match(session: Session, alternatives: list[Expectation]) -> Expectation:
    entries = [one.entry for one in alternatives]
    misfit = _misfit(session, alternatives)
    if misfit:
        frames = session.frames or session.answers
        came = (
            wrong_byte(session.serialization, entries, frames[0])
            if frames and misfit.startswith(_WROTE)
            else ""
        )
        raise CaseEnded("unexpected", misfit, f"wrote {came}" if came else "")
    silence = next((one for one in alternatives if one.kind == "silence"), None)
    quiet_is_all = silence is not None and len(alternatives) == 1
    if silence is not None and not session.exited and (quiet_is_all or not session.channel.eof):
        return silence
    for name, link in (("child", session.puppet), ("started", session.bystander)):
        if link is not None and link.facts and any(one.kind == name for one in alternatives):
            raise CaseEnded("unexpected", f"the process that the subject started found {show(link.facts)}")
    outcome, text = ended_outcome(session, "nothing came in time")
    raise CaseEnded(outcome, text, missing(entries) if outcome == "silent" else "")


# ---- the consequence -----------------------------------------------------------------------------------------


def _take(scene: Scene, chosen: Expectation) -> None:
    """Takes the matched event out of the inbox and names the outcome."""
    session = scene.session
    if chosen.kind in ("frame", "text", "hex") or (chosen.kind == "delivered" and not session.plan.driven):
        frame = _queue(session, chosen).popleft()
        if isinstance(frame.value, dict) and isinstance(frame.value.get("key"), str):
            session.latest_key = frame.value["key"]
        if "fd" in chosen.entry:
            _take_descriptor(scene, chosen.entry["fd"], frame)
        for name, path in chosen.entry.get("keep", {}).items():
            if not has_member(frame.value, path):
                raise CaseEnded("unexpected", f"{frame} has no member {path}")
            session.kept[name] = member(frame.value, path)
        at = chosen.entry.get("at")
        if at is not None and frame.rights != (at,):
            raise CaseEnded(
                "misplaced-descriptor", f"descriptors came with bytes {list(frame.rights)} of {frame}"
            )
    elif _by_adapter(session, chosen):
        event = _event(session, chosen)
        if event is not None:
            del session.events[next(i for i, other in enumerate(session.events) if other is event)]
            if isinstance(event.get("handle"), dict):
                scene.latest_handle = event["handle"].get("name", scene.latest_handle)
    elif chosen.entry.get("both"):
        channel = session.channel
        if not session.wait(lambda: channel.hung_up, session.limits.answer):
            raise CaseEnded("half-open", "the subject ended one direction and keeps the other")
    name = chosen.entry.get("as")
    if name is not None:
        scene.outcome = name
    if chosen.entry.get("stop"):
        raise CaseEnded(scene.outcome)


def _take_descriptor(scene: Scene, name: str, frame: Frame) -> None:
    channel = scene.session.channel
    if not channel.descriptors:
        raise CaseEnded("no-descriptor", f"no descriptor came with {frame}")
    descriptor = channel.descriptors.popleft()
    envelope = frame.value.get("type") if isinstance(frame.value, dict) else None
    fault = fault_of(descriptor, envelope)
    if fault:
        raise CaseEnded(fault, f"the descriptor of {frame} is not as it must be")
    scene.sockets.keep(name, channel.disown(descriptor))
    scene.session.kept[name] = scene.sockets.port(name)
