"""A recording as a case: the kit writes the bytes of the parent again, and waits for the messages of the child."""

from typing import Any

from channelkit.errors import UsageError
from channelkit.tap.descriptors import BOUND, DATAGRAM, SERVER, STREAM
from channelkit.tap.reading import Recording
from channelkit.tap.record import DOWN, Entry
from channelkit.wire.modes import JSON_LINES
from channelkit.wire.serialization import split
from channelkit.wire.visible import visible

MOST = 500
"""Steps of a case."""
_SOCKETS = {
    (SERVER, "IPv4"): "tcp-server",
    (SERVER, "IPv6"): "tcp-server",
    (SERVER, "Unix"): "unix-server",
    (STREAM, "IPv4"): "tcp-client",
    (STREAM, "IPv6"): "tcp6-client",
    (STREAM, "Unix"): "unix-client",
    (BOUND, "IPv4"): "tcp-bound",
    (BOUND, "IPv6"): "tcp-bound",
    (DATAGRAM, "IPv4"): "udp4",
    (DATAGRAM, "IPv6"): "udp6",
}


def as_case(recording: Recording, name: str, rules: list[str]) -> dict[str, Any]:
    """The case. User messages of the child are compared only by their places. Raises :class:`UsageError`."""
    if recording.mode != JSON_LINES.mode:
        raise UsageError(
            f"a case is of the mode json; this recording is of the mode {visible(recording.mode)}"
        )
    steps: list[dict[str, Any]] = []
    received = bytearray()
    for entry in recording.entries:
        if entry.way == DOWN:
            steps += _written(entry, len(steps))
        elif entry.data:
            seen = len(received)
            received += entry.data
            # A long line in many pieces is not copied with each of them.
            if JSON_LINES.end(received, 0, seen) < 0:
                continue
            frames, rest = split(JSON_LINES, bytes(received))
            received = bytearray(rest)
            steps += [_expected(frame) for frame in frames]
    if not steps or len(steps) > MOST:
        raise UsageError(f"the recording makes {len(steps)} steps; a case has 1 to {MOST} of them")
    return {
        "id": name,
        "title": f"A recording of {recording.header['command'][0]}",
        "rules": rules,
        "level": "MUST",
        "roles": ["child"],
        "rung": 0,
        "fresh": True,
        "steps": steps,
        "outcomes": {"ok": "conform"},
        "ending": ["clean", "closed", "died"],
    }


def _written(entry: Entry, number: int) -> list[dict[str, Any]]:
    if entry.end:
        return [{"close_channel" if entry.end != "half-closed" else "half_close_channel": True}]
    if not entry.data:
        return []
    names = list[str]()
    made: list[dict[str, Any]] = []
    for one in entry.descriptors:
        kind = _SOCKETS.get((str(one.get("kind")), str(one.get("family"))), "file")
        names.append(f"s{number}x{len(names)}")
        made.append({"make": kind, "name": names[-1]})
    try:
        chunk: Any = entry.data.decode("utf-8")
    except UnicodeDecodeError:
        chunk = {"hex": entry.data.hex()}
    write: dict[str, Any] = {"write": [chunk]}
    if names:
        write |= {"fd": names[0] if len(names) == 1 else names, "at": 0}
    return [*made, write]


def _expected(frame: bytes) -> dict[str, Any]:
    """Internal messages word for word; any message in the place of a user's."""
    read = JSON_LINES.read(frame)
    value = read.value
    command = value.get("cmd") if isinstance(value, dict) else None
    internal = isinstance(command, str) and command.startswith("NODE_")
    if read.problem:
        return {"expect": {"text": frame[:-1].decode("utf-8", "replace")}}
    return {"expect": {"frame": value if internal else {"$": "any"}}}
