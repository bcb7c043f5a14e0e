"""``channelkit doctor``: does an adapter keep the contract at all? Prints step by step, with the reason of a failure."""

import argparse
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from channelkit.errors import KitError
from channelkit.judge import codec
from channelkit.judge.subjects import Description
from channelkit.limits import Limits
from channelkit.process.ending import finish
from channelkit.process.session import Session
from channelkit.process.subject import describe_status
from channelkit.wire.compare import equal
from channelkit.wire.modes import JSON_LINES
from channelkit.wire.transcript import Transcript, lines


class _Ill(Exception):
    """A step failed."""


def examine(subject: Description, limits: Limits) -> int:
    """Prints the steps; 0 when all succeed, else 1."""
    if subject.role == codec.ROLE:
        return _examine_codec(subject, limits)
    transcript = Transcript()
    session: Session | None = None
    try:
        with closing(
            Session(replace(subject.plan, validate=True), limits, transcript, threading.Event())
        ) as session:
            for title, step in _steps(session):
                _take(title, step)
        _say_what_follows(subject)
        return 0
    except (_Ill, KitError) as error:
        print(f"NO  {error}")
        for line in lines(transcript.entries):
            print(f"    {line}")
        if session is not None and session.subject.stderr_text:
            print("    stderr:", *session.subject.stderr_text.splitlines(), sep="\n      | ")
        return 1


def _say_what_follows(subject: Description) -> None:
    print(
        f"    the contract is kept; `channelkit run --{subject.role}` with the same command says whether the rules are"
    )


def _examine_codec(subject: Description, limits: Limits) -> int:
    """Tries the filter of each direction with a good line."""
    try:
        for way, wanted in (("decode", _EVENT), ("encode", _LINE)):
            status, out = codec.convert((*subject.command, way), _LINE, limits, threading.Event())
            if status == codec.UNSUPPORTED:
                print(f"ok  `{way}` is declared unsupported", flush=True)
            elif status != codec.ACCEPTED:
                raise _Ill(f"`{way}` of {_LINE!r} ended with {describe_status(status)}")
            elif not _is_right(way, out):
                raise _Ill(f"`{way}` of {_LINE!r} wrote {out[:200]!r}, not {wanted!r}")
            else:
                print(f"ok  `{way}` takes a line and writes the right answer", flush=True)
    except (_Ill, codec.CaseOver, KitError) as error:
        print(f"NO  {error}")
        return 1
    _say_what_follows(subject)
    return 0


_LINE = JSON_LINES.frame({"a": 1})
_EVENT = b'{"event": "message", "message": {"a": 1}}'


def _is_right(way: str, out: bytes) -> bool:
    found = JSON_LINES.read(out)
    wanted = {"a": 1} if way == "encode" else {"event": "message", "message": {"a": 1}}
    return not found.problem and equal(wanted, found.value)


def _take(title: str, step: Callable[[], str]) -> None:
    told = step()
    print(f"ok  {title}{f': {told}' if told else ''}", flush=True)


def _steps(session: Session) -> list[tuple[str, Callable[[], str]]]:
    driven = [
        ("answers `hello`, and an unknown command with `unsupported`", lambda: _greet(session)),
        ("opens the channel", lambda: _open(session)),
    ]
    return [
        *(driven if session.plan.driven else []),
        ("delivers a message" if session.plan.driven else "answers a message", lambda: _deliver(session)),
        ("ends with the channel", lambda: _end(session)),
    ]


def _greet(session: Session) -> str:
    session.greet()
    return f"{session.hello['name']} {session.hello['version']}, {', '.join(session.hello['capabilities']) or 'no capabilities'}"


def _open(session: Session) -> str:
    reply = session.open()
    if reply is None or not reply["ok"]:
        raise _Ill(f"`open` failed: {reply}")
    return ""


def _deliver(session: Session) -> str:
    session.write(session.new_probe())
    session.await_start()
    if (
        session.wait(lambda: not session.probes or session.exited, session.limits.answer)
        and not session.probes
    ):
        return ""
    found = session.frames[0] if session.frames else session.events[0] if session.events else "nothing"
    raise _Ill(f'{{"probe":1}} was written; the answer is {found}')


def _end(session: Session) -> str:
    ending, why = finish(session)
    if ending != "clean":
        raise _Ill(f"the end is not clean but {ending}: {why}")
    return ""


def add(parser: argparse.ArgumentParser, describe: Callable[[argparse.Namespace], list[Description]]) -> None:
    """Declares the action; ``describe`` makes subjects of the same arguments as for ``run``."""

    def act(arguments: argparse.Namespace) -> int:
        status = 0
        for subject in describe(arguments):
            print(f"{subject.name}: {' '.join(subject.command)}", flush=True)
            status = max(status, examine(subject, Limits(arguments.time_scale)))
        return status

    parser.set_defaults(action=act)
