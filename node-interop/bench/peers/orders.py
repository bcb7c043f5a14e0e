"""The common parts of all Python peers: the command line, and a parent's conversation with the bench."""

import json
import sys
from pathlib import Path


class Job:
    """A scenario, as the bench describes it on the command line.

    Attributes:
        role: ``parent`` or ``child``.
        kind: the direction and the object: ``up``, ``down``, ``echo``, ``server``, ``socket`` or ``start``.
        payload: the message, or None.
        serialization: the mode in which a parent starts its child.
        batch: messages that are given to the channel in a single call; 1 where each message is a call.
        handles: whether sockets are handed over.
        child: the command line of the child, for a parent.
        asked: the whole order, as it came.
    """

    def __init__(self) -> None:
        self.role = sys.argv[1]
        self.asked = asked = json.loads(sys.argv[2])
        self.kind = asked["kind"]
        payload = json.loads(Path(asked["payload"]).read_text()) if asked["payload"] else None
        is_buffer = isinstance(payload, dict) and payload.keys() == {"buffer"}
        self.payload = bytes(payload["buffer"]) if is_buffer else payload
        self.serialization = asked["serialization"]
        self.batch = asked["batch"]
        self.handles = asked["handles"]
        self.child = asked["child"]

    @property
    def answered(self) -> bool:
        """Whether the child says when it has all messages; otherwise the parent sees it itself."""
        return self.kind == "down" or self.handles

    def batches(self, count: int) -> "list[tuple[list[object], int]]":
        """Return `count` messages as lists for a call each, and how often each list is sent."""
        full, rest = divmod(count, self.batch)
        return [([self.payload] * self.batch, full), ([self.payload] * rest, 1 if rest else 0)]


def report(**values: object) -> None:
    """Send a report to the bench."""
    print(json.dumps(values), flush=True)


def counts():
    """Yield the number of messages of each order; ends with the bench's interest."""
    for line in sys.stdin:
        yield int(line)
