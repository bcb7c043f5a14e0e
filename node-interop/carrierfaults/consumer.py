"""A consumer that notes each number in a file before it acknowledges: `consumer.py URL KEY KIND FILE`. It is killed at any moment."""

from __future__ import annotations

import os
import sys

from nodechannel import redis


def main(url: str, key: str, kind: str, path: str) -> None:
    """Consume until the end of the process."""
    notes = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    source = redis.stream(url, key, claim_after=2.0) if kind == "stream" else redis.queue(url, key, alive=2.0)
    for entry in source:
        os.write(notes, b"%d\n" % entry.data)
        source.acknowledge(entry)


if __name__ == "__main__":
    main(*sys.argv[1:])
