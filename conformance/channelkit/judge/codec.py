"""Rung C: a codec as a filter. ``CMD decode`` turns bytes into events, ``CMD encode`` messages into bytes.

Exit status 0: all accepted; 1: rejected; 3: unsupported; each further status is a crash. A filter gets the cases that
need no process. In these, bytes are written and messages are delivered, or messages are sent and bytes come out.
"""

import os
import selectors
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from channelkit.catalogue.cases import Case, alternatives
from channelkit.catalogue.verdict import Seen
from channelkit.errors import HarnessError, Interrupted
from channelkit.limits import MOST_BYTES, SLICE, Limits
from channelkit.process import leftovers
from channelkit.process.spawn import environment, kill_group
from channelkit.process.subject import describe_status
from channelkit.wire.compare import contains, equal
from channelkit.wire.modes import JSON_LINES
from channelkit.wire.serialization import Frame, split
from channelkit.wire.transcript import Transcript
from channelkit.wire.values import compact, expand, parse, show, untag

ROLE = "codec"
_FORMS = frozenset(("frame", "text", "hex"))
ACCEPTED, REJECTED, UNSUPPORTED = 0, 1, 3
"""Exit statuses of a filter."""


def direction(case: Case) -> str | None:
    """``decode``, ``encode`` or None when the case is about more than a codec."""
    if case.needs or case.start:
        return None
    if all(map(_decodes, case.steps)) and any("write" in step for step in case.steps):
        # Only with an unfinished frame before it does the end of the stream test a codec.
        _frames, unfinished = split(case.serialization, _stream(case))
        return "decode" if unfinished or not any(map(_is_end, case.steps)) else None
    if all(map(_encodes, case.steps)) and any("do" in step for step in case.steps):
        return "encode"
    return None


def _decodes(step: dict[str, Any]) -> bool:
    if "write" in step:
        return "fd" not in step
    if _is_end(step):
        return True
    if any("silence" in one for one in alternatives(step)):
        return False  # a filter has all the time until the end of its input
    return "barrier" in step or _expects(
        step, lambda one: "delivered" in one or _is_event(one, "error") or _is_event(one, "message")
    )


def _is_end(step: dict[str, Any]) -> bool:
    """Whether a step makes or awaits the end of the channel, which is the end of the stream here."""
    wanted = alternatives(step)
    return (
        "close_channel" in step
        or "half_close_channel" in step
        or (bool(wanted) and all(one == {"eof": True} or _is_event(one, "disconnect") for one in wanted))
    )


def _is_event(one: dict[str, Any], name: str) -> bool:
    return bool(one.get("event", {}).get("event") == name)


def _encodes(step: dict[str, Any]) -> bool:
    if "do" in step:
        return (
            step["do"]["command"] == "send"
            and step["do"].keys() == {"command", "message"}
            and "later" not in step
        )
    # A written message here is a probe: its delivery shows that no frame came before. A filter needs no probe.
    if "write" in step:
        return "fd" not in step
    return "barrier" in step or _expects(step, lambda one: not _FORMS.isdisjoint(one))


def _expects(step: dict[str, Any], fits: Callable[[dict[str, Any]], bool]) -> bool:
    """Whether a filter can show at least one alternative. A filter never shows events with handles or descriptors."""
    return any(fits(one) and "handle" not in one and "fd" not in one for one in alternatives(step))


class CaseOver(Exception):
    """The case has an outcome, and the text says why."""

    def __init__(self, outcome: str, text: str = "") -> None:
        super().__init__(text)
        self.outcome = outcome


def run(
    case: Case, command: tuple[str, ...], limits: Limits, stop: threading.Event, transcript: Transcript
) -> Seen | None:
    """Runs a case; None when the filter declares that it cannot. Raises :class:`HarnessError` and :class:`Interrupted`."""
    way = direction(case)
    if way is None:
        raise HarnessError(f"{case.id} is not about a codec")
    data = _stream(case) if way == "decode" else _messages(case)
    transcript.data("write", data)
    try:
        status, out = convert((*command, way), data, limits, stop, case.serialization.mode)
        transcript.data("read", out)
        transcript.note(f"the filter ended with {describe_status(status)}")
        if status == UNSUPPORTED:
            return None
        if status not in (ACCEPTED, REJECTED):
            raise CaseOver("died", f"the filter ended with {describe_status(status)}")
        outcome = _judge_events(case, out, status) if way == "decode" else _judge_frames(case, out, status)
    except CaseOver as ended:
        return Seen("whole", ended.outcome, text=str(ended))
    return Seen("whole", outcome)


def _stream(case: Case) -> bytes:
    return b"".join(data for data, _descriptor in case.writes)


def _messages(case: Case) -> bytes:
    sent = (step["do"]["message"] for step in case.steps if "do" in step)
    return b"".join(compact(expand(message)) + b"\n" for message in sent)


def convert(
    argv: tuple[str, ...], data: bytes, limits: Limits, stop: threading.Event, mode: str = JSON_LINES.mode
) -> tuple[int, bytes]:
    """Writes ``data`` to the stdin of a filter and returns its exit status and all that it wrote. Raises :class:`CaseOver`."""
    mark = leftovers.new_mark()
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment({leftovers.NAME: mark, **_mode(mode)}),
            start_new_session=True,
        )
    except OSError as error:
        raise HarnessError(f"cannot start {argv[0]}: {error.strerror}") from error
    with process:
        try:
            return _converse(process, memoryview(data), time.monotonic() + limits.start, stop)
        finally:
            kill_group(process.pid)  # its number is still its own: it is reaped only now
            process.wait()
            leftovers.give_up(mark)


def _mode(mode: str) -> dict[str, str]:
    """The variable that tells a filter the mode; the usual mode needs none."""
    return {} if mode == JSON_LINES.mode else {"NODE_CHANNEL_SERIALIZATION_MODE": mode}


def _converse(
    process: subprocess.Popen[bytes], data: memoryview, until: float, stop: threading.Event
) -> tuple[int, bytes]:
    out = bytearray()
    if process.stdin is None or process.stdout is None:
        raise HarnessError("the filter has no streams")
    with selectors.DefaultSelector() as selector:
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.get_map():
            if stop.is_set():
                raise Interrupted
            if time.monotonic() > until:
                raise CaseOver("silent", "the filter does not end")
            for key, _events in selector.select(SLICE):
                if key.fileobj is process.stdout:
                    piece = os.read(process.stdout.fileno(), 65536)
                    out += piece
                    if len(out) > MOST_BYTES:
                        raise CaseOver("flooded", f"the filter wrote more than {MOST_BYTES} bytes")
                    if not piece:
                        selector.unregister(process.stdout)
                    continue
                try:
                    data = data[os.write(process.stdin.fileno(), data) :] if data else data
                except BrokenPipeError:  # it has seen enough
                    data = data[:0]
                if not data:
                    selector.unregister(process.stdin)
                    process.stdin.close()
    return _status(process.pid, until), bytes(out)


def _status(pid: int, until: float) -> int:
    """The exit status of a process, which stays unreaped. Raises :class:`CaseOver` when it does not end in time."""
    while (ended := os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is None:
        if time.monotonic() > until:
            raise CaseOver("silent", "the filter closed its stdout and does not end")
        time.sleep(0.002)
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


# ---- decode --------------------------------------------------------------------------------------------------


def _judge_events(case: Case, out: bytes, status: int) -> str:
    """The outcome: each expectation takes the next message; a rejection is the error that a driven adapter reports."""
    left = deque(_delivered(out))
    outcome = "ok"
    for step in case.steps:
        wanted = alternatives(step)
        if not wanted or _is_end(step):
            continue
        chosen = next((one for one in wanted if _event_fits(one, left, status)), None)
        if chosen is None:
            if left:
                raise CaseOver("unexpected", f"the filter delivered {show(left[0])}")
            raise CaseOver("silent" if status == ACCEPTED else "refused", "nothing more was delivered")
        outcome = chosen.get("as", outcome)
        if _is_event(chosen, "error") or chosen.get("stop"):
            return str(outcome)
        left.popleft()
    if left:
        raise CaseOver("unexpected", f"the filter delivered {show(left[0])}")
    if status != ACCEPTED:
        raise CaseOver("refused", "the filter rejected a good line")
    return str(outcome)


def _delivered(out: bytes) -> Iterator[Any]:
    """The user messages among the events. Raises :class:`HarnessError` for a line that is no event."""
    for line in out.splitlines():
        try:
            event = untag(parse(line.decode()))
        except ValueError as error:
            raise HarnessError(
                f"the filter wrote a line that is no event: {line[:200]!r} ({error})"
            ) from error
        if (
            not isinstance(event, dict)
            or event.get("event") not in ("message", "internal")
            or "message" not in event
        ):
            raise HarnessError(f"the filter wrote a line that is no event: {line[:200]!r}")
        if event["event"] == "message":
            yield event["message"]


def _event_fits(one: dict[str, Any], left: deque[Any], status: int) -> bool:
    if _is_event(one, "error"):
        return not left and status == REJECTED
    if _is_event(one, "message"):
        return bool(left) and contains(one["event"], {"event": "message", "message": left[0]})
    return "delivered" in one and bool(left) and equal(untag(one["delivered"], large=True), left[0])


# ---- encode --------------------------------------------------------------------------------------------------


def _judge_frames(case: Case, out: bytes, status: int) -> str:
    """The outcome: each expectation takes the next line; a rejection is the refusal of the message that comes next."""
    frames, tail = split(case.serialization, out)
    if tail:
        raise CaseOver("unexpected", f"the filter wrote {tail[:200]!r}, which is no complete frame")
    left = deque(map(case.serialization.read, frames))
    outcome = "ok"
    for number, step in enumerate(case.steps):
        refused = step.get("refused")
        if refused is not None and status == REJECTED and not left and not _due(case, number):
            return str(refused)
        wanted = alternatives(step)
        if not wanted:
            continue
        if not left:
            raise CaseOver("refused" if status == REJECTED else "silent", "a line is missing")
        frame = left.popleft()
        chosen = next((one for one in wanted if _frame_fits(one, frame)), None)
        if chosen is None:
            raise CaseOver("unexpected", f"the filter wrote {frame}")
        outcome = chosen.get("as", outcome)
        if chosen.get("stop"):
            return str(outcome)
    if left:
        raise CaseOver("unexpected", f"the filter wrote {left[0]}")
    if status == REJECTED:
        raise CaseOver("refused", "the filter refused a message")
    return str(outcome)


def _due(case: Case, number: int) -> bool:
    """Whether a message before step ``number`` has not been looked for yet: then it, too, is on its way."""
    before = case.steps[:number]
    return sum("do" in step for step in before) > sum(bool(alternatives(step)) for step in before)


def _frame_fits(one: dict[str, Any], frame: Frame) -> bool:
    if "hex" in one:
        return frame.raw == bytes.fromhex(one["hex"])
    if "text" in one:
        return frame.raw == str(one["text"]).encode()
    if frame.problem or "frame" not in one:
        return False
    wanted = untag(one["frame"], large=True)
    return contains(wanted, frame.value) if one.get("subset") else equal(wanted, frame.value)
