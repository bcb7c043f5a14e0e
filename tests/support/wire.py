"""Internal messages are held to `schemas/wire/`."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from support.node import ROOT

_SCHEMAS = [
    json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "schemas" / "wire").glob("*.json"))
]
_REGISTRY: Registry[Any] = Registry().with_resources(
    [(schema["$id"], Resource.from_contents(schema)) for schema in _SCHEMAS]
)


def _validator(name: str) -> Draft202012Validator:
    schema = next(one for one in _SCHEMAS if one["$id"].endswith(f"/wire/{name}.json"))
    return Draft202012Validator(schema, registry=_REGISTRY)


VALIDATOR = _validator("internal-message")
_USER = _validator("user-message")


def is_user(value: object) -> bool:
    """Tell whether a value is a user message by the schemas."""
    return _USER.is_valid(value)


def faults(frame: bytes) -> list[str]:
    """Return the faults of the frame of an internal message."""
    if not frame.endswith(b"\n") or b"\n" in frame[:-1]:
        return ["not one line"]
    return [error.message for error in VALIDATOR.iter_errors(json.loads(frame))]


def looks_internal(frame: bytes) -> bool:
    """Tell whether a frame that the reference wrote is an internal message; it puts `cmd` first."""
    return frame.startswith(b'{"cmd":"NODE_') and not frame.startswith(b'{"cmd":"NODE_"')
