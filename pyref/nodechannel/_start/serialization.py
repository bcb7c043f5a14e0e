"""The serializations that a channel can be opened with, by their names in NODE_CHANNEL_SERIALIZATION_MODE."""

from __future__ import annotations

from nodechannel._json.serialization import JsonSerialization
from nodechannel.errors import UnsupportedSerialization

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._core.options import OpenOptions
    from nodechannel._core.serialization import Serialization

JSON, ADVANCED = "json", "advanced"


def known(mode: str) -> str:
    """Return the name of a serialization; raises `UnsupportedSerialization` when this package does not speak it ([BOO-005])."""
    if mode not in (JSON, ADVANCED):
        raise UnsupportedSerialization(mode)
    return mode


def resolve(options: OpenOptions) -> Serialization:
    """Return the serialization that the options of a channel name; an object stands for itself. Raises `UnsupportedSerialization`."""
    serialization = options.get("serialization", JSON)
    if not isinstance(serialization, str):
        return serialization
    if known(serialization) == ADVANCED:
        # Loaded for those that use it.
        from nodechannel._advanced.serialization import AdvancedSerialization

        return AdvancedSerialization(default=options.get("default"))
    return JsonSerialization(
        unsafe_integers=options.get("unsafe_integers", False),
        allow_nan=options.get("allow_nan", True),
        default=options.get("default"),
    )
