"""A JSON text that was written elsewhere, in the place of a value."""

from __future__ import annotations


class JsonText:
    """A message whose JSON text exists already; `nodechannel._json.given` makes it.

    The serialization `json` writes the text as it is, and `advanced` writes the value that the text stands for.

    Attributes:
        text: the text in UTF-8, without line feeds.
    """

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text
