"""The names of the framings, and the objects behind them."""

from __future__ import annotations

from nodechannel._stdio.headers import HeadersFraming
from nodechannel._stdio.lines import LinesFraming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._core.options import ChannelOptions

_FRAMINGS: dict[str, type[LinesFraming | HeadersFraming]] = {"lines": LinesFraming, "headers": HeadersFraming}


def check_framing(name: str) -> None:
    """Raise `ValueError` for a name that is none of a framing, before anything is started or taken."""
    if name not in _FRAMINGS:
        raise ValueError(f"there is no framing {name!r}: 'lines' and 'headers' are known")


def framing_of(name: str, options: ChannelOptions) -> LinesFraming | HeadersFraming:
    """Return a framing by its name; raises `ValueError`."""
    check_framing(name)
    return _FRAMINGS[name](options)
