"""Messages as JSON texts that any reader of lines can cut."""

from __future__ import annotations

from nodechannel._json import codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._core.options import ChannelOptions

# Line separators of Unicode, which JSON leaves as they are within strings. Node's `readline` from 24 on cuts lines at them.
_SEPARATORS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))
_FIRST_BYTES = b"\xe2\x80"


class Writer:
    """Writes JSON texts.

    Args:
        options: those of the channel.
    """

    def __init__(self, options: ChannelOptions) -> None:
        self._options = (
            options.get("unsafe_integers", False),
            options.get("allow_nan", True),
            options.get("default"),
        )

    def text(self, message: object) -> bytes:
        """Return the text of a message, without a line feed; raises `InvalidMessage`."""
        return _escaped(codec.encode(message, *self._options)[:-1])

    def lines(self, messages: list[object]) -> list[bytes]:
        """Return the lines of many messages in few pieces; raises `InvalidMessage`."""
        return list(map(_escaped, codec.encode_many(messages, *self._options)))


def _escaped(text: bytes) -> bytes:
    # [STD-013]
    if _FIRST_BYTES in text:
        for raw, escape in _SEPARATORS:
            text = text.replace(raw, escape)
    return text
