"""How a subject gets its channel: the greeting of a driven adapter, the opening, and the outcome when they fail."""

from collections.abc import Mapping
from typing import Any

from channelkit.errors import HarnessError, NoChannel
from channelkit.process.session import Session
from channelkit.process.subject import describe_status
from channelkit.steps.scene import CaseEnded
from channelkit.wire.values import show


def greet(session: Session, *, unusual: bool) -> None:
    """Asks ``hello``. Raises :class:`HarnessError`; with an ``unusual`` start, :class:`CaseEnded` when the subject ends instead."""
    try:
        session.greet()
    except HarnessError:
        if unusual and session.exited:
            raise _ended(session, "at its start") from None
        raise


def open_channel(session: Session, extra: Mapping[str, Any] | None = None) -> None:
    """Lets the adapter open the channel. Raises :class:`CaseEnded` when there is no channel afterwards."""
    try:
        reply = session.open(extra)
    except NoChannel as error:
        raise CaseEnded("no-channel", str(error)) from None
    if reply is None and session.exited:
        raise _ended(session, "during open")
    if reply is None:
        raise HarnessError("the adapter did not answer open")
    if not reply["ok"]:
        raise CaseEnded("refused", f"open was refused: {show(reply.get('error'))}")


def _ended(session: Session, when: str) -> CaseEnded:
    how = describe_status(session.status or 0)
    return CaseEnded("died" if session.status else "closed", f"the subject ended {when}: {how}")
