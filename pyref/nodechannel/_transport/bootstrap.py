"""The bootstrap of this system: a new channel as a pair of ends, and the adoption of the end that came from a parent."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from nodechannel._transport.pipeboot import adopter, claim, keep_from_exec, new_pair, unfit
else:
    from nodechannel._transport.unixboot import adopter, claim, keep_from_exec, new_pair, unfit

__all__ = ["adopter", "claim", "keep_from_exec", "new_pair", "unfit"]
