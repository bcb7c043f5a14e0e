"""The framing `headers`: `Content-Length`, a blank line, a JSON text of that many bytes. Bytes come in, messages and errors go out."""

from __future__ import annotations

import re

from nodechannel._core.annotated import annotation
from nodechannel._core.message import Message
from nodechannel._json import codec
from nodechannel._json.framing import LONGEST_LINE
from nodechannel._stdio.texts import Writer
from nodechannel.errors import (
    FrameTooLong,
    InvalidHeader,
    LineTooLong,
    MalformedMessage,
    RemoteError,
    TruncatedMessage,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._core.options import ChannelOptions

# [STD-025]
_length_line = re.compile(rb"Content-Length[ \t]*:[ \t]*(.*)", re.IGNORECASE).fullmatch
_number = re.compile(rb"[0-9]{1,15}").fullmatch
_other_header = re.compile(rb"[!#-'*+.0-9A-Z^_`a-z|~-]+[ \t]*:.*").fullmatch
# A header behind text that does not end its line.
_find_header = re.compile(rb"(?<!-)Content-Length: [0-9]{1,15}$").search


class HeadersFraming:
    """Cuts a stream into bodies by their headers, and writes them.

    Args:
        options: those of the channel.
    """

    def __init__(self, options: ChannelOptions) -> None:
        self._writer = Writer(options)
        self._limit = options.get("max_line", LONGEST_LINE)
        self._annotation = annotation(options)
        self._rest = bytearray()
        # Where the search for the end of a header goes on.
        self._searched = 0
        # The length of the next body, once its header is known; whether its body has begun.
        self._length: int | None = None
        self._in_body = False
        # Whether a header came that is not the length, and whether an error tells of it.
        self._headers = self._told = False
        self.broken = False

    def frame(self, message: object) -> bytes:
        """Return a message with its header; raises `InvalidMessage`."""
        # [STD-020, STD-021]
        body = self._writer.text(message)
        return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)

    def frames(self, messages: list[object]) -> list[bytes]:
        """Return many messages with their headers, in one piece."""
        return [b"".join(map(self.frame, messages))]

    def feed(self, data: bytes) -> list[Message | RemoteError]:
        """Return the messages that `data` completes, and an error in the place of all other bytes."""
        found: list[Message | RemoteError] = []
        if self.broken:
            return found
        self._rest += data
        while self._take_body(found) if self._in_body else self._take_line(found):
            pass
        return found

    def end(self) -> list[Message | RemoteError]:
        """Return the error of a message whose end never came."""
        # [STD-016]
        unfinished = self._length is not None or bool(self._rest.strip())
        return [] if self.broken or not unfinished else [TruncatedMessage(self._rest)]

    def _take_body(self, found: list[Message | RemoteError]) -> bool:
        """Take the body if all of it is there."""
        assert self._length is not None
        if len(self._rest) < self._length:
            return False
        body = self._cut(self._length)
        self._length, self._in_body = None, False
        try:
            message = Message(codec.decode(body))
            found.append(message if self._annotation is None else self._annotation.of(message, body))
        # [STD-015]
        except MalformedMessage as error:
            found.append(error)
        return True

    def _take_line(self, found: list[Message | RemoteError]) -> bool:
        """Take a line of a header if all of it is there."""
        end = self._rest.find(b"\n", self._searched)
        if max(end, len(self._rest) if end < 0 else 0) > self._limit:
            self._fail(found, LineTooLong(self._limit))
        elif end < 0:
            self._searched = len(self._rest)
        else:
            # [STD-023]
            self._read_line(self._cut(end + 1).rstrip(b"\r\n"), found)
        return end >= 0 and not self.broken

    def _read_line(self, line: bytes, found: list[Message | RemoteError]) -> None:
        if not line:
            self._end_header(found)
        elif length := _length_line(line):
            self._read_length(length[1], line, found)
        elif _other_header(line):
            # [STD-022]
            self._headers = True
        else:
            self._read_stray(line, found)

    def _end_header(self, found: list[Message | RemoteError]) -> None:
        """Take the blank line behind a header; elsewhere it has no meaning."""
        if self._length is not None:
            self._in_body = True
            if self._length > self._limit:
                self._fail(found, FrameTooLong(self._length, self._limit))
        elif self._headers and not self._told:
            found.append(InvalidHeader("it has no Content-Length", b""))
        self._headers = self._told = False

    def _read_length(self, text: bytes, line: bytes, found: list[Message | RemoteError]) -> None:
        self._headers = True
        if _number(text.strip()):
            self._length = int(text)
        else:
            self._told = True
            found.append(InvalidHeader("its length is no number", line))

    def _read_stray(self, line: bytes, found: list[Message | RemoteError]) -> None:
        """Report text that is no header, and find the header that may stand behind it."""
        # [STD-024]
        header = _find_header(line)
        found.append(InvalidHeader("it is no header", line[: header.start()] if header else line))
        if header:
            self._read_line(header[0], found)

    def _cut(self, size: int) -> bytes:
        """Remove so many bytes from the buffer, and return them."""
        piece = bytes(memoryview(self._rest)[:size])
        del self._rest[:size]
        self._searched = 0
        return piece

    def _fail(self, found: list[Message | RemoteError], error: RemoteError) -> None:
        """Give the stream up; its rest is not kept."""
        found.append(error)
        self.broken = True
        self._rest = bytearray()
