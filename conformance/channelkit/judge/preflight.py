"""A test before the first case: does the subject live and answer? If not, a sentence and its stderr say more than 500 failures."""

import threading
from contextlib import closing
from dataclasses import dataclass

from channelkit.errors import HarnessError, LimitExceeded, NoAnswer, NoChannel
from channelkit.judge import codec
from channelkit.judge.subjects import Description
from channelkit.limits import Limits
from channelkit.process.session import Session
from channelkit.process.subject import describe_status
from channelkit.wire.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why no case can be run: the observation, and the subject's stderr."""

    text: str
    stderr: str


class _Impatient(Limits):
    """A first answer that takes longer is taken for none."""

    @property
    def start(self) -> float:
        return self.hello


def look(subject: Description, limits: Limits, stop: threading.Event) -> Unfit | None:
    """Starts the subject once; None when it answers, or when its cases say more than this can."""
    if subject.problem or subject.role == codec.ROLE or subject.attach:
        return None
    try:
        with closing(Session(subject.plan, _Impatient(limits.scale), Transcript(), stop)) as session:
            text = _why_not(session)
            session.subject.read_stderr()
            return Unfit(text, session.subject.stderr_text) if text else None
    except HarnessError:  # it cannot be started: each case says so
        return None


def _why_not(session: Session) -> str:
    try:
        if session.plan.driven:
            session.greet()
            return "" if session.open() is not None else session.unanswered("open")
        if session.plan.role == "primary":
            session.meet()
        else:
            return _mute(session)
    except NoAnswer as error:
        silent = session.control is not None and not session.control.heard
        return f"{error}{_OTHER_RUNG if silent and session.plan.role == 'child' else ''}"
    except (NoChannel, LimitExceeded, HarnessError):
        return ""  # the subject answers, and the cases judge its answers
    return ""


_OTHER_RUNG = "; is it an echo child? Those are judged with --rung 0"


def _mute(session: Session) -> str:
    """Writes a message to an echo child. The result is empty when any bytes come back."""
    session.write(session.new_probe())
    channel = session.channel
    session.wait(
        lambda: not session.probes or channel.heard or channel.eof or session.exited, session.limits.hello
    )
    if channel.heard or not session.probes:
        return ""
    if channel.eof:
        session.wait(lambda: session.exited, session.limits.grace)
    if session.exited:
        return f"it ended with {describe_status(session.status or 0)} before it answered its first message"
    if channel.eof:
        return "it closed the channel before it answered its first message"
    return (
        f"it did not answer its first message within {session.limits.hello:g} s; "
        "is it a driven adapter? Those are judged with --rung 1 or 2"
    )
