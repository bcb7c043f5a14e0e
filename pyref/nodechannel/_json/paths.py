"""Where in a message a value stands, as errors show it."""

from __future__ import annotations

try:
    from _json import encode_basestring_ascii
except ImportError:  # PyPy
    from json.encoder import encode_basestring_ascii

_SHOWN_STEPS = 20


def path_of(keys: list[int | str]) -> str:
    """Return a path like `$.users[3].id`; the middle of a very long path is left out."""
    if len(keys) > _SHOWN_STEPS:
        half = _SHOWN_STEPS // 2
        return f"${_steps(keys[:half])}...{_steps(keys[-half:])}"
    return "$" + _steps(keys)


def _steps(keys: list[int | str]) -> str:
    return "".join(map(_step, keys))


def _step(key: int | str) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    shown = key if len(key) <= 40 else key[:37] + "..."
    plain = shown.isascii() and shown.replace("$", "_").isidentifier()
    return f".{shown}" if plain else f"[{encode_basestring_ascii(shown)}]"
