"""Messages that are their own JSON, or nearly: a child says that it is ready before orjson is there.

`nodechannel._json.exact` has to agree.
"""

from __future__ import annotations

_DEEPEST = 3
"""Levels of containers; what is deeper is left to others."""
_LONGEST = 16
"""Entries of a container: with more of them orjson is sooner ready than this is."""
MAX_SAFE_INTEGER = 2**53 - 1
"""Integers beyond are rounded in JavaScript ([JSN-007])."""


def encode(message: object) -> bytes | None:
    """Return the frame of a small message of words and numbers, None for any other."""
    try:
        return f"{_text(message, _DEEPEST)}\n".encode()
    except _NotPlain:
        return None


class _NotPlain(Exception):
    pass


def _text(value: object, levels: int) -> str:
    # Exact types only: the methods of a subclass would have a say.
    if value is None:
        return "null"
    if type(value) is str:
        return _quoted(value)
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int and -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        return str(value)
    if type(value) is dict and levels and len(value) <= _LONGEST:
        members = [f"{_name(key)}:{_text(member, levels - 1)}" for key, member in value.items()]
        return f"{{{','.join(members)}}}"
    if type(value) is list and levels and len(value) <= _LONGEST:
        return f"[{','.join([_text(member, levels - 1) for member in value])}]"
    raise _NotPlain


def _name(key: object) -> str:
    if type(key) is str:
        return _quoted(key)
    raise _NotPlain


def _quoted(text: str) -> str:
    # What is printable has no control character, what is ASCII no surrogate.
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    raise _NotPlain
