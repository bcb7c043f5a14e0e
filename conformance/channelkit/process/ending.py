"""The second verdict: how the subject ends after the last step, apart from its behaviour in the steps."""

from channelkit.process.session import Session
from channelkit.process.subject import describe_status


def finish(session: Session) -> tuple[str, str]:
    """Closes the kit's end and lets the subject end. Returns the ending and, if it is not clean, the reason.

    The subject is not killed here; the close of the session does that.
    """
    driven = session.plan.driven
    if not session.exited:
        session.close_channel()
        # A subject that closed first knows of the end. All further subjects learn of it from their library.
        if driven and session.kit_ended_first and session.opened:
            session.wait(lambda: _disconnected(session) or session.exited, session.limits.end)
        _end_puppet(session)
        if driven and not session.exited:
            session.ask({"command": "exit", "code": 0})
        session.wait(lambda: session.exited, session.limits.end)
    if not session.exited:
        return "hung", "the subject did not end and had to be killed"
    if session.status != 0:
        return "died", f"the subject ended with {describe_status(session.status or 0)}"
    if not session.kit_ended_first:
        return "closed", "the subject ended the channel before the kit did"
    if driven and session.opened and not _disconnected(session):
        return "hung", "the adapter never reported `disconnect`"
    return "clean", ""


def _disconnected(session: Session) -> bool:
    return session.control is not None and "disconnect" in session.control.seen


def _end_puppet(session: Session) -> None:
    puppet = session.puppet
    if puppet is not None and puppet.facts is not None and not puppet.ended:
        puppet.order({"exit": 0})
        session.wait(lambda: puppet.ended, session.limits.end)
