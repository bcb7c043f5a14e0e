"""Values as texts in Redis, and back."""

from __future__ import annotations

from typing import Any

from nodechannel._json import codec


def text_of(value: object) -> bytes:
    """Return a value as a JSON text; raises `InvalidMessage`."""
    # [RDS-001]
    return codec.encode(value)[:-1]


def value_of(text: bytes) -> Any:
    """Return the value of a JSON text; raises `MalformedMessage`."""
    return codec.decode(text)
