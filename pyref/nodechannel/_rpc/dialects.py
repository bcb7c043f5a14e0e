"""The dialects of a conversation: the messages on the channel, as those of JSON-RPC."""

from __future__ import annotations

from typing import Any, Protocol

from nodechannel._rpc.birpc import Birpc


class Dialect(Protocol):
    """Translates each message in both directions."""

    def read(self, data: Any) -> Any:
        """Return a received message as a message of JSON-RPC."""

    def write(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Return the message that is sent for a message of JSON-RPC; None if the dialect has none."""


class JsonRpc:
    """JSON-RPC itself."""

    def read(self, data: Any) -> Any:
        """Return the message as it is."""
        return data

    def write(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the message as it is."""
        return message


_KNOWN = ("json-rpc", "birpc")


def check_dialect(name: str) -> None:
    """Raise `ValueError` for the name of no dialect, before anything is started or taken."""
    if name not in _KNOWN:
        raise ValueError(f"there is no dialect {name!r}: 'json-rpc' and 'birpc' are known")


def dialect_of(name: str, serialization: str) -> Dialect:
    """Return a dialect by its name, for a channel with that serialization; raises `ValueError`."""
    check_dialect(name)
    return Birpc(errors=serialization == "advanced") if name == "birpc" else JsonRpc()
