"""What a mutant is."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One broken peer. ``old`` stands exactly once in ``peer.py``, for a worker or a primary in ``cluster_peer.py``."""

    name: str
    does: str
    """What it does wrong, as a predicate."""
    breaks: tuple[str, ...]
    old: str
    new: str
    role: str = "child"
    """``child`` and ``parent`` are driven, ``echo`` is a child of rung 0, ``codec`` a filter; ``worker`` and ``primary`` are of chapter 90."""
