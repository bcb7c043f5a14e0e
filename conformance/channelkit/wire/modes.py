"""The serializations by the names that they have in ``NODE_CHANNEL_SERIALIZATION_MODE``."""

from channelkit.wire.advanced import AdvancedFrames
from channelkit.wire.jsonlines import JsonLines
from channelkit.wire.serialization import Serialization

JSON_LINES = JsonLines()
ADVANCED = AdvancedFrames()
SERIALIZATIONS: dict[str, Serialization] = {JSON_LINES.mode: JSON_LINES, ADVANCED.mode: ADVANCED}
"""Every serialization that the kit speaks."""


def of_mode(mode: str | None) -> Serialization:
    """The serialization of a mode. When the mode is absent, empty or unknown, the kit speaks JSON and the subject decides."""
    return SERIALIZATIONS.get(mode or JSON_LINES.mode, JSON_LINES)
