"""Pauses between tries to connect."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def pauses(first: float, longest: float, tries: int | None) -> Iterator[float]:
    """Yield the seconds to wait before each try: twice as long each time, up to a limit.

    A quarter of each pause is left to chance, so that the clients of a server that restarts do not come back in the same moment.

    Args:
        first: seconds before the first try.
        longest: the most seconds of a pause.
        tries: the number of pauses, without end if None.
    """
    pause, made = first, 0
    while tries is None or made < tries:
        yield pause * random.uniform(0.75, 1.0)
        pause, made = min(2 * pause, longest), made + 1
