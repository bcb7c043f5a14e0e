"""From a frame to its value."""

from __future__ import annotations

from nodechannel._advanced import fastread, tags
from nodechannel._advanced.malformed import Malformed
from nodechannel._advanced.read import read
from nodechannel.errors import InvalidFrame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nodechannel._advanced.readleaves import Frame

_read_fast, _FAILURES = fastread.read, fastread.FAILURES
_HEADERS = frozenset(bytes([tags.HEADER, version]) for version in tags.VERSIONS)


def decode(frame: Frame) -> Any:
    """Return the value of a frame without its length; raises `InvalidFrame`, after which the next frame can be read ([ADV-051])."""
    # [ADV-011] [ADV-036]
    if bytes(frame[:2]) not in _HEADERS:
        raise InvalidFrame(_header_fault(frame), frame)
    try:
        return _read_fast(frame)
    except _FAILURES:
        pass
    try:
        return read(frame)
    except Malformed as fault:
        where = "" if fault.at is None else f" (byte {fault.at})"
        raise InvalidFrame(f"{fault.reason}{where}", frame) from None


def _header_fault(frame: Frame) -> str:
    if not frame:
        return "it is empty"
    if frame[0] != tags.HEADER:
        return f"it begins with {frame[0]:#04x} and not with 0xff"
    if len(frame) == 1:
        return "it ends after its first byte"
    return f"its version {frame[1]} is not one of {tags.VERSIONS.start} to {tags.VERSIONS.stop - 1}"
