"""Chapter 90: messages of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from measure.peer import Peer

CMD = "NODE_CLUSTER"


def cluster(peer: Peer, seconds: float = 3.0) -> dict[str, Any]:
    """Return the next message of a cluster, an empty message for silence or nonsense."""
    found = peer.line(seconds)
    return found if isinstance(found, dict) and found.get("cmd") == CMD else {}
