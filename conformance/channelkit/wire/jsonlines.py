"""The serialization ``json``: each message is a JSON text and a line feed."""

import re
from typing import Any

from channelkit.limits import LONGEST_LINE
from channelkit.wire.serialization import Frame
from channelkit.wire.transcript import KEPT
from channelkit.wire.values import compact, parse

_LINE_FEED = re.compile(rb"\n")
_CONTINUATION = re.compile(rb"[\x80-\xbf]")


class JsonLines:
    """The serialization of Node's default mode."""

    mode = "json"

    def frame(self, value: Any) -> bytes:
        """The compact text of a value, and a line feed. Raises :class:`ValueError` when JSON has no text for the value."""
        return compact(value) + b"\n"

    def echo(self, value: Any) -> Any:
        """The message in an object: it tells an echo from a message that the child sends by itself."""
        return {"echo": value}

    def read(self, frame: bytes) -> Frame:
        """Reads a line as a message."""
        raw = frame.removesuffix(b"\n")
        if len(raw) > LONGEST_LINE:
            return Frame(raw[:KEPT], problem=f"{len(raw)} bytes, more than the kit reads")
        try:
            return Frame(raw, parse(raw.decode("utf-8")))
        except UnicodeDecodeError as error:
            return Frame(raw, problem=f"invalid UTF-8 at byte {error.start}")
        except ValueError as error:
            return Frame(raw, problem=f"invalid JSON: {str(error)[:KEPT]}")

    def end(self, data: bytes | bytearray, _begin: int, seen: int) -> int:
        """Where the line ends."""
        at = data.find(b"\n", seen)
        return at + 1 if at >= 0 else -1

    def cuts(self, data: bytes) -> dict[str, list[int]]:
        """``lines``: after each line feed. ``utf8``: inside of each character of several bytes."""
        return {
            "lines": [found.end() for found in _LINE_FEED.finditer(data, 0, len(data) - 1)],
            "utf8": [found.start() for found in _CONTINUATION.finditer(data, 1)],
        }
