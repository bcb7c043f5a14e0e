"""A consumer that notes each number in a file, says that it is done, and is killed at some moment: `consumer.py PLACE KEY KIND FILE`."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from nodechannel import errors, nodeipc, redis, rsmq

if TYPE_CHECKING:
    from collections.abc import Callable


def over_stream(place: str, key: str, note: Callable[[object], object]) -> None:
    """Consume a stream."""
    with redis.stream(place, key, claim_after=2.0) as source:
        for entry in source:
            note(entry.data)
            source.acknowledge(entry)


def over_list(place: str, key: str, note: Callable[[object], object]) -> None:
    """Consume a list."""
    with redis.queue(place, key, alive=2.0) as source:
        for entry in source:
            note(entry.data)
            source.acknowledge(entry)


def over_rsmq(place: str, key: str, note: Callable[[object], object]) -> None:
    """Consume a queue of rsmq."""
    with rsmq.queue(place, key) as source:
        for message in source:
            note(message.message)
            source.delete(message.id)


def over_channel(place: str, key: str, note: Callable[[object], object]) -> None:
    """Listen to a channel, and note each gap that is told."""
    with redis.channels(place, key) as source:
        while True:
            try:
                note(source.receive().data)
            except errors.ConnectionLost:
                note("gap")


def over_node_ipc(place: str, _key: str, note: Callable[[object], object]) -> None:
    """Serve events, and cut all connections at a signal."""
    with nodeipc.serve(path=place, replace=True) as server:

        def cut(*_: object) -> None:
            for peer in server.peers:
                peer.close()

        signal.signal(signal.SIGUSR1, cut)
        for event in server:
            note(event.data)
            with suppress(errors.ChannelClosed):  # it comes again over the next connection
                event.peer.send("answer", event.data)


def main(place: str, key: str, kind: str, path: str) -> None:
    """Consume until the end of the process."""
    notes = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    consume = globals()[f"over_{kind.replace('-', '_')}"]
    consume(place, key, lambda number: os.write(notes, f"{number}\n".encode()))


if __name__ == "__main__":
    main(*sys.argv[1:])
