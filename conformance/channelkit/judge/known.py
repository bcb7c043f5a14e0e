"""Known-failures lists: ``case-id outcome  # reason`` on each line. ``wontfix`` behind the outcome declares a deviation that stays."""

from dataclasses import dataclass
from pathlib import Path

from channelkit.errors import UsageError

STAYS = "wontfix"


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """An entry of a list: the wrong outcome that is expected, and why it is tolerated."""

    outcome: str
    reason: str
    stays: bool = False
    """The deviation is intended and stays."""

    @property
    def kind(self) -> str:
        """``flaky`` when several outcomes are declared, ``wontfix`` when it stays, else ``known``."""
        return "flaky" if "|" in self.outcome else "wontfix" if self.stays else "known"


def read(path: Path) -> dict[str, KnownFailure]:
    """The entries by case id. Raises :class:`UsageError` naming the line that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    found: dict[str, KnownFailure] = {}
    for number, line in enumerate(text.splitlines(), 1):
        entry, _hash, reason = line.partition("#")
        words = entry.split()
        if not words:
            continue
        if len(words) < 2 or words[2:] not in ([], [STAYS]) or not reason.strip():
            raise UsageError(f"{path}:{number}: a line is `case-id outcome [{STAYS}]  # reason`")
        if words[0] in found:
            raise UsageError(f"{path}:{number}: {words[0]} is listed twice")
        found[words[0]] = KnownFailure(words[1], reason.strip(), len(words) > 2)
    return found
