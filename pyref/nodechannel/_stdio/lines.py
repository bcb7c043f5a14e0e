"""The framing `lines`: a JSON text a line. Bytes come in, messages and errors go out."""

from __future__ import annotations

from nodechannel._core.annotated import annotation
from nodechannel._core.message import Message
from nodechannel._json import codec
from nodechannel._json.framing import LONGEST_LINE, PlainLineFramer
from nodechannel._stdio.texts import Writer
from nodechannel.errors import MalformedMessage, RemoteError, TruncatedMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._core.annotated import Annotation
    from nodechannel._core.options import ChannelOptions
    from nodechannel._json.framing import Line


class LinesFraming:
    """Cuts a stream into lines, and writes them.

    Args:
        options: those of the channel.
    """

    def __init__(self, options: ChannelOptions) -> None:
        self._writer = Writer(options)
        self._framer = PlainLineFramer(options.get("max_line", LONGEST_LINE))
        self._annotation = annotation(options)

    @property
    def broken(self) -> bool:
        """Whether reading has ended."""
        return self._framer.error is not None

    def frame(self, message: object) -> bytes:
        """Return the line of a message; raises `InvalidMessage`."""
        # [STD-010, STD-011, STD-012]
        return self._writer.text(message) + b"\n"

    def frames(self, messages: list[object]) -> list[bytes]:
        """Return the lines of many messages, in pieces."""
        return self._writer.lines(messages)

    def feed(self, data: bytes) -> list[Message | RemoteError]:
        """Return the results that `data` completes: messages, and an error in the place of each line that is none."""
        failed = self._framer.error
        # [STD-018]
        lines = self._framer.feed(data)
        found = _all_at_once(lines) if self._annotation is None else _one_by_one(lines, self._annotation)
        if self._framer.error is not failed and self._framer.error is not None:
            found.append(self._framer.error)
        return found

    def end(self) -> list[Message | RemoteError]:
        """Return the error of a line whose end never came."""
        # [STD-016]
        rest = self._framer.rest
        return [] if self.broken or not rest.strip() else [TruncatedMessage(rest)]


def _all_at_once(lines: list[Line]) -> list[Message | RemoteError]:
    try:
        return [Message(value) for value in codec.decode_lines(lines)]
    except MalformedMessage:
        return _one_by_one(lines, None)


def _one_by_one(lines: list[Line], annotation: Annotation | None) -> list[Message | RemoteError]:
    found: list[Message | RemoteError] = []
    for line in lines:
        try:
            # [STD-014]
            if line.strip():
                message = Message(codec.decode(line))
                found.append(message if annotation is None else annotation.of(message, line))
        # [STD-015]
        except MalformedMessage as error:
            found.append(error)
    return found
