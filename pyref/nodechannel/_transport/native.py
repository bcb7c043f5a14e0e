"""Locks and polls of the system itself, also where gevent or eventlet has put its own in their place.

The blocking front end blocks its thread. A lock that switches to another greenlet, beside a `recvmsg` that does not, would wait for ever.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def original(module: str, name: str) -> Any:
    """Return an attribute of the standard library, also when gevent or eventlet has replaced it."""
    if "gevent.monkey" in sys.modules:
        return sys.modules["gevent.monkey"].get_original(module, name)
    if "eventlet.patcher" in sys.modules:
        return getattr(sys.modules["eventlet.patcher"].original(module), name)
    return getattr(__import__(module), name)


allocate_lock = original("_thread", "allocate_lock")
get_ident = original("_thread", "get_ident")
RLock = original("_thread", "RLock")
start_new_thread = original("_thread", "start_new_thread")
if sys.platform != "win32":
    poll = original("select", "poll")
