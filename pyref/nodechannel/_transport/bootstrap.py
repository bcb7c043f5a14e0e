"""The bootstrap of this system: a new channel as a pair of ends, and the adoption of the end that came from a parent."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from nodechannel._transport import pipeboot as system
else:
    from nodechannel._transport import unixboot as system

adopter, claim, keep_from_exec, unfit = system.adopter, system.claim, system.keep_from_exec, system.unfit
new_pair, number_in_child, drop, meet = system.new_pair, system.number_in_child, system.drop, system.meet
hand_down, start, start_for_asyncio = system.hand_down, system.start, system.start_for_asyncio
