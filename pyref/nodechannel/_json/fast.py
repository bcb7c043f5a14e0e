"""The same answers as `nodechannel._json.exact` and `writing`, from orjson where orjson agrees with them.

orjson refuses values that it does not know: then the exact path decides. It differs silently in two places, which
are looked for: it reads ``-0`` as the integer 0, and it writes the line feeds of an `orjson.Fragment`.
"""

from __future__ import annotations

import dataclasses  # noqa: F401
import datetime as dt  # noqa: F401
import enum  # noqa: F401
import json  # noqa: F401
import re
import uuid  # noqa: F401
from typing import TYPE_CHECKING, Any

# After the modules above, which it imports itself: an exception of a signal handler in the midst of that crashes the interpreter.
import orjson

from nodechannel._json import exact, writing
from nodechannel._json.framing import LONGEST_LINE, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nodechannel._json.framing import Line

_OPTIONS_UNSAFE = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_OPTIONS = _OPTIONS_UNSAFE | orjson.OPT_STRICT_INTEGER

# The literal -0 between tokens, so that dates and -0.5 stay on the fast path. It begins with the text itself
# because the regex engine then skips to candidates with memchr.
_find_negative_zero = re.compile(rb"-0(?![^,\]} \t\r\n])(?<![^\[:, \t\r\n]-0)").search

_MINUS = ord("-")
_LINE_FEED = ord("\n")

# Local names: a lookup in the module of orjson costs as much as the checks below.
_loads = orjson.loads
_dumps = orjson.dumps


def decode(line: Line) -> Any:
    """Return the value of a line; raises `InvalidJson`. See `nodechannel._json.exact.decode`."""
    try:
        value = _loads(line)
    except ValueError:
        return exact.decode(line)
    # Asking for one byte first is ten times faster than asking for two.
    if _MINUS in line and _find_negative_zero(line):  # [JSN-025]
        return exact.decode(line)
    return value


def decode_lines(lines: Sequence[Line]) -> list[Any]:
    """Return the values of many lines in a single call; raises `InvalidJson` when any of them is no JSON."""
    try:
        values = list(map(_loads, lines))
    except ValueError:
        return [exact.decode(line) for line in lines]
    text = b"\n".join(lines)  # of a single line no copy
    if _MINUS in text and _find_negative_zero(text):  # [JSN-025]
        return [decode(line) for line in lines]
    return values


def encode(
    message: object,
    unsafe_integers: bool = False,
    allow_nan: bool = True,
    default: Callable[[Any], Any] | None = None,
) -> bytes:
    """Return the frame of a message; raises `InvalidMessage`. See `nodechannel._json.writing.encode`."""
    try:
        text = _dumps(message, None, _OPTIONS_UNSAFE if unsafe_integers else _OPTIONS)
    except TypeError:
        return writing.encode(message, unsafe_integers, allow_nan, default)
    # Cheaper than OPT_APPEND_NEWLINE, behind which another line feed is harder to look for.
    if _LINE_FEED in text or len(text) > LONGEST_LINE or (not allow_nan and b"null" in text):  # [FRM-002]
        return writing.encode(message, unsafe_integers, allow_nan, default)
    return text + b"\n"  # [FRM-003]


def encode_many(
    messages: list[object],
    unsafe_integers: bool = False,
    allow_nan: bool = True,
    default: Callable[[Any], Any] | None = None,
) -> list[bytes]:
    """Return the `blocks` of the frames of many messages; raises `InvalidMessage` when any of them cannot be sent."""
    options = _OPTIONS_UNSAFE if unsafe_integers else _OPTIONS
    try:
        # Adding the line feed to each copies it out of the large buffer that orjson made it in: keeping many of those is slow.
        frames = [
            text + b"\n" for message in messages if _LINE_FEED not in (text := _dumps(message, None, options))
        ]
    except TypeError:
        return writing.encode_many(messages, unsafe_integers, allow_nan, default)
    found = blocks(frames)
    odd = len(frames) != len(messages) or max(map(len, found)) > LONGEST_LINE  # [FRM-002]
    if odd or (not allow_nan and any(b"null" in block for block in found)):
        return writing.encode_many(messages, unsafe_integers, allow_nan, default)
    return found
