"""The state that the steps of a variant share."""

from dataclasses import dataclass, field
from typing import Any

from channelkit.process.session import Session
from channelkit.process.subject import describe_status
from channelkit.steps.sockets import Sockets


class CaseEnded(Exception):
    """A step ends the case with ``outcome``; the text says why.

    Cases of a subject that end with the same ``cause`` have the same fault. When ``cause`` is empty, the text is the cause.
    """

    def __init__(self, outcome: str, text: str = "", cause: str = "") -> None:
        super().__init__(text)
        self.outcome = outcome
        self.cause = cause


class DeclaredUnsupported(Exception):
    """The adapter declared that it cannot carry out a step."""


@dataclass(slots=True)
class Scene:
    """A variant of a case under way in a session."""

    session: Session
    sockets: Sockets
    variant: str = "whole"
    """The segmentation of the writes."""
    following: dict[str, Any] = field(default_factory=dict)
    """The next step; empty at the last step."""
    outcome: str = "ok"
    """The last name given."""
    step: dict[str, Any] = field(default_factory=dict)
    """The step under way."""
    latest_handle: str = "$handle"
    addresses: dict[str, str] = field(default_factory=dict)
    """Addresses of the sockets that the adapter made, by name."""
    unanswered: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Commands whose reply is due: id and step."""
    costs: dict[str, float] = field(default_factory=dict)
    """Processor time by the name of the ``measure_cpu`` step."""
    metered: float = 0.0
    unfinished: bytes = b""
    """The frame that the kit has written a part of."""


def ended_outcome(session: Session, otherwise: str) -> tuple[str, str]:
    """Outcome and reason when no further event can come: ``died``, ``closed`` or, with ``otherwise``, ``silent``.

    A crash closes the channel a moment before the process is gone, hence the short wait.
    """
    if session.exited or session.channel.eof:
        alive = ("disconnect", "error")
        session.wait(
            lambda: session.exited or any(event["event"] in alive for event in session.events),
            session.limits.grace,
        )
        if session.exited and session.status != 0:
            return "died", f"the subject ended with {describe_status(session.status or 0)}"
        return "closed", "the subject closed the channel" if session.channel.eof else "the subject ended"
    return "silent", otherwise
