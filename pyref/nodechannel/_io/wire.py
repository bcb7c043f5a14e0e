"""Whether a channel shows its frames: asked once, when the channel is made, so that no frame pays for it."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from logging import Logger

    from nodechannel._core.serialization import Serialization
    from nodechannel._transport.seam import Transport

TRACE = "NODECHANNEL_TRACE"
LOGGER = "nodechannel.wire"


def traced(transport: Transport, serialization: Serialization) -> Transport:
    """Return the transport for the steps of a channel: the same transport, or a transport that shows each frame.

    It shows them where NODECHANNEL_TRACE is set, or where the logger `nodechannel.wire` is enabled for DEBUG at this moment. A program that
    has not imported `logging` has enabled no logger.
    """
    target = os.environ.get(TRACE, "")
    logger = _enabled_logger()
    if not target and logger is None:
        return transport
    from nodechannel._io.trace import open_trace

    return open_trace(transport, serialization, target, logger)


def _enabled_logger() -> Logger | None:
    if "logging" not in sys.modules:
        return None
    import logging

    logger = logging.getLogger(LOGGER)
    return logger if logger.isEnabledFor(logging.DEBUG) else None
