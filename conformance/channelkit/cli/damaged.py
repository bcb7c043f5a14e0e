"""The sentence of each command that reads a damaged recording, and its exit status."""

import sys
from pathlib import Path

from channelkit.errors import UsageError
from channelkit.tap.reading import Damage, Recording, read

DAMAGED = 2
"""The exit status after a damage, as after each other file that cannot be read."""


def told(path: Path, damage: Damage | None) -> int:
    """Says where a recording is damaged. Returns the exit status: a file that merely ends amid its last entry has none."""
    if damage is None:
        return 0
    print(f"channelkit: {'note: ' if damage.cut else ''}{damage.told(path)}", file=sys.stderr)
    return 0 if damage.cut else DAMAGED


def sound(path: Path) -> Recording:
    """A recording without damage, for a command that plays all of it. Raises :class:`UsageError`."""
    recording = read(path)
    if recording.damage and not recording.damage.cut:
        raise UsageError(recording.damage.told(path))
    told(path, recording.damage)
    return recording
