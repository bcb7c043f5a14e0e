"""The type of a mutant."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """A broken peer. ``old`` stands exactly once in ``peer.py``, for a worker or a primary in ``cluster_peer.py``.

    The roles whose name begins with ``advanced`` are made of ``advanced_peer.py``, and those that begin with ``windows`` of ``peer.py``
    and ``windows_form.py``.
    """

    name: str
    does: str
    """The fault as a predicate: the peer …"""
    breaks: tuple[str, ...]
    old: str
    new: str
    role: str = "child"
    """``child`` and ``parent`` are driven, ``echo`` is a child of rung 0, ``codec`` a filter; ``worker`` and ``primary`` are of chapter 90.

    ``advanced`` is a driven child and ``advanced-echo`` an echo child of chapter 35; ``windows`` and
    ``windows-echo`` are the same of chapter 65.
    """
