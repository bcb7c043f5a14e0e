"""An entry of a stream or a list, as a consumer gets it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Entry(NamedTuple):
    """A message that stays in Redis until it is acknowledged.

    Attributes:
        data: the value.
        id: the id of the stream's entry; in a list the text itself.
        message_id: the id that its producer gave it: a message that comes twice has the same. None from a producer that gives none.
        attempts: the number of deliveries, this one included; in a list always 1.
        delivery: in a list a number that no other message of this consumer has, which tells equal messages apart; 0 elsewhere.
    """

    data: Any
    id: bytes
    message_id: str | None = None
    attempts: int = 1
    delivery: int = 0
