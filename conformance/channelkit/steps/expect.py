"""The ``expect`` step: waits for the first of several things on the wire, in the adapter's events or in the process."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from channelkit.process.session import Session
from channelkit.steps.kept import member
from channelkit.steps.scene import CaseEnded, Scene, ended_outcome
from channelkit.steps.sockets import fault_of
from channelkit.wire.compare import contains, equal
from channelkit.wire.rawchannel import Frame
from channelkit.wire.values import show, untag

KINDS = ("frame", "text", "delivered", "event", "eof", "exit", "child", "started", "silence")
"""What can be waited for; exactly one of these keys is in an expectation, ``text`` possibly instead of ``frame``."""


@dataclass(frozen=True)
class Expectation:
    """One alternative of an ``expect`` step."""

    entry: dict[str, Any]

    @cached_property
    def kind(self) -> str:
        """One of :data:`KINDS`."""
        if "text" in self.entry:
            return "text"
        return next(kind for kind in KINDS if kind in self.entry)

    @cached_property
    def wanted(self) -> Any:
        """The value to compare with."""
        return untag(self.entry[self.kind], large=True)


def expect(scene: Scene, alternatives: list[Expectation]) -> None:
    """Waits for the first alternative that comes true and names the outcome after it. Raises :class:`CaseEnded`."""
    session = scene.session
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


def _patience(session: Session, alternatives: list[Expectation]) -> float:
    if all(one.kind == "silence" for one in alternatives):
        return session.limits.silence
    return session.limits.answer


def _on_wire(session: Session, one: Expectation) -> bool:
    """Whether the alternative looks at the next frame."""
    return one.kind in ("frame", "text", "eof") or (one.kind == "delivered" and not session.plan.driven)


def _by_adapter(session: Session, one: Expectation) -> bool:
    """Whether the alternative looks at the adapter's events."""
    return one.kind == "event" or (one.kind == "delivered" and session.plan.driven)


# ---- matching ------------------------------------------------------------------------------------------------


def _matches(session: Session, one: Expectation) -> bool:
    if one.kind in ("frame", "text") or (one.kind == "delivered" and not session.plan.driven):
        return bool(session.frames) and _frame_fits(session, one, session.frames[0])
    if _by_adapter(session, one):
        event = _event(session, one)
        return event is not None and _event_fits(one, event)
    if one.kind == "eof":
        return session.channel.eof and not session.frames
    if one.kind == "exit":
        return session.exited and _exit_kind(session.status or 0) == one.wanted
    if one.kind == "child":
        return session.puppet is not None and contains(one.wanted, session.puppet.facts)
    if one.kind == "started":
        return session.bystander is not None and contains(one.wanted, session.bystander.facts)
    return False


def _frame_fits(session: Session, one: Expectation, frame: Frame) -> bool:
    if one.kind == "text":
        return frame.raw == str(one.entry["text"]).encode().removesuffix(b"\n")
    if frame.problem:
        return False
    if one.kind == "delivered":
        return equal({"echo": one.wanted}, frame.value)
    # Messages of the channel itself may have members that nobody knows yet (HND-039).
    same = contains if one.entry.get("subset") or _is_answer(one.wanted) else equal
    return same(_with_key(one.wanted, session.latest_key), frame.value)


def _is_answer(message: Any) -> bool:
    return isinstance(message, dict) and message.get("cmd") in ("NODE_HANDLE_ACK", "NODE_HANDLE_NACK")


def _with_key(wanted: Any, key: str | None) -> Any:
    """The value to compare with; the key ``$key`` stands for the latest one that the subject wrote."""
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


# ---- when nothing matches ------------------------------------------------------------------------------------


def _misfit(session: Session, alternatives: list[Expectation]) -> str:
    """What came instead, in words; empty when there is still hope."""
    if session.frames and any(_on_wire(session, one) for one in alternatives):
        return f"the subject wrote {session.frames[0]}"
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
    if session.frames and all(one.kind == "silence" for one in alternatives):
        return f"the subject wrote {session.frames[0]}"
    return ""


def _nothing_else_can_come(session: Session, alternatives: list[Expectation]) -> bool:
    if session.exited:
        return True
    if not session.channel.eof:
        return False
    if any(_on_wire(session, one) for one in alternatives):
        return True
    # Events of what was read before the end may still be on their way; the adapter's own end comes last.
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
    misfit = _misfit(session, alternatives)
    if misfit:
        raise CaseEnded("unexpected", misfit)
    silence = next((one for one in alternatives if one.kind == "silence"), None)
    quiet_is_all = silence is not None and len(alternatives) == 1
    if silence is not None and not session.exited and (quiet_is_all or not session.channel.eof):
        return silence
    for name, link in (("child", session.puppet), ("started", session.bystander)):
        if link is not None and link.facts and any(one.kind == name for one in alternatives):
            raise CaseEnded("unexpected", f"the process that the subject started found {show(link.facts)}")
    raise CaseEnded(*ended_outcome(session, "nothing came in time"))


# ---- the consequence -----------------------------------------------------------------------------------------


def _take(scene: Scene, chosen: Expectation) -> None:
    """Takes what was matched out of the inbox and names the outcome."""
    session = scene.session
    if chosen.kind in ("frame", "text") or (chosen.kind == "delivered" and not session.plan.driven):
        frame = session.frames.popleft()
        if isinstance(frame.value, dict) and isinstance(frame.value.get("key"), str):
            session.latest_key = frame.value["key"]
        if "fd" in chosen.entry:
            _take_descriptor(scene, chosen.entry["fd"], frame)
        for name, path in chosen.entry.get("keep", {}).items():
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
