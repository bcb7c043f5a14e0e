"""A connection with the options of its channel."""

from __future__ import annotations

from nodechannel._core.connection import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._core.options import ChannelOptions
    from nodechannel._core.serialization import Serialization


def open_connection(serialization: Serialization, options: ChannelOptions) -> Connection:
    """Return a new connection; only options that add to messages have a cost for each of them."""
    max_line = options.get("max_line")
    if options.get("raw") or options.get("object_hook") is not None:
        from nodechannel._core.annotating import AnnotatingConnection

        return AnnotatingConnection(serialization, options, max_line=max_line)
    return Connection(serialization, max_line=max_line)
