"""The expectation of a step in words, for reports that compare it with the event that came."""

from typing import Any

from channelkit.wire.serialization import Frame, Serialization
from channelkit.wire.values import show, untag

_EXITS = {"zero": "exit status 0", "nonzero": "an exit status other than 0", "signal": "an end by a signal"}


def describe(step: dict[str, Any]) -> str:
    """A line of text: the alternatives of an ``expect`` step, or the success that each further kind of step needs."""
    if "expect" in step:
        wanted = step["expect"]
        return " or ".join(map(_alternative, wanted if isinstance(wanted, list) else [wanted]))
    if "barrier" in step:
        return "the probe comes back, and nothing before it"
    if "do" in step:
        return f"a reply to the command {show(step['do'], 120)}"
    shown = {name: value for name, value in step.items() if name != "why"}
    return f"the step {show(shown, 160)} goes well" if step else ""


def _alternative(one: dict[str, Any]) -> str:
    if "text" in one:
        return f"the bytes {show(one['text'], 160)}"
    if "hex" in one:
        return f"the bytes {one['hex'][:160]} in hex"
    if "frame" in one:
        return f"the frame {show(one['frame'], 160)}" + (" with a descriptor" if "fd" in one else "")
    if "delivered" in one:
        if one["delivered"] == {"$": "any"}:
            return "the delivery of any message"
        handle = f" with a {one['handle']}" if "handle" in one else ""
        return f"the delivery of {show(one['delivered'], 160)}{handle}"
    if "event" in one:
        return f"the event {show(one['event'], 160)}"
    if "eof" in one:
        return "the end of the channel"
    if "exit" in one:
        return _EXITS.get(one["exit"], str(one["exit"]))
    if "silence" in one:
        return "nothing"
    return show(one, 160)


def missing(alternatives: list[dict[str, Any]]) -> str:
    """The kind of event that did not come, without its content. Cases that miss the same kind have the same cause."""
    return "no " + " or ".join(sorted({_kind(one) for one in alternatives}))


def _kind(one: dict[str, Any]) -> str:
    if "event" in one:
        return f"event {one['event'].get('event', '')}".rstrip()
    if "frame" in one and isinstance(one["frame"], dict) and isinstance(one["frame"].get("cmd"), str):
        return f"frame {one['frame']['cmd']}"
    return next(
        (
            kind
            for kind in ("delivered", "frame", "text", "hex", "eof", "exit", "child", "started")
            if kind in one
        ),
        "silence",
    )


def wrong_byte(serialization: Serialization, alternatives: list[dict[str, Any]], frame: Frame) -> str:
    """The first byte in which a frame differs from the nearest expected frame, blanks left out: ``'x' for 'y'``."""
    raw = frame.raw if frame.problem else _compact(serialization, frame)
    wanted = [text for one in alternatives if (text := _bytes(serialization, one)) is not None]
    if not wanted:
        return "a frame"
    places = [(_common(text, raw), text) for text in wanted]
    at, text = max(places, key=lambda place: place[0])
    return f"{_byte(raw, at)} for {_byte(text, at)}"


def _compact(serialization: Serialization, frame: Frame) -> bytes:
    try:
        return _raw(serialization, frame.value)
    except (ValueError, TypeError, RecursionError):
        return frame.raw


def _raw(serialization: Serialization, value: Any) -> bytes:
    """A value as the kit writes it, without the delimiters of the frame."""
    return serialization.read(serialization.frame(value)).raw


def _bytes(serialization: Serialization, one: dict[str, Any]) -> bytes | None:
    """The bytes of an alternative in the compact form; None when it is no frame."""
    try:
        if "text" in one:
            return serialization.read(str(one["text"]).encode("utf-8", "surrogateescape")).raw
        if "hex" in one:
            return bytes.fromhex(one["hex"])
        if "frame" in one:
            return _raw(serialization, untag(one["frame"], large=True))
        if "delivered" in one:
            return _raw(serialization, serialization.echo(untag(one["delivered"], large=True)))
    except (ValueError, TypeError, RecursionError):
        return None
    return None


def _common(left: bytes, right: bytes) -> int:
    return next(
        (at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )


def _byte(data: bytes, at: int) -> str:
    return repr(data[at : at + 1].decode("latin-1")) if at < len(data) else "the end"
