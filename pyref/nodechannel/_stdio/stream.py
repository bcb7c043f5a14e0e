"""Two one-way streams as one conversation, without I/O: the inbox, the outbox and the state of each direction."""

from __future__ import annotations

from nodechannel._carriers.events import Events
from nodechannel._core.delivery import Delivery, DeliveryState
from nodechannel._core.message import Message
from nodechannel._core.outbox import Outbox
from nodechannel.errors import ChannelClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nodechannel._stdio.headers import HeadersFraming
    from nodechannel._stdio.lines import LinesFraming


class Stream:
    """The state of a conversation over standard streams.

    Attributes:
        events: messages and errors in the order of the stream.
        outbox: the bytes that the kernel has not taken yet.
        readable: whether more can arrive.
        connected: whether messages can be sent.
        writable: whether the descriptor for writing is open; after `connected` ends it is until everything is written.
    """

    def __init__(self, framing: LinesFraming | HeadersFraming) -> None:
        self._framing = framing
        self.events: Events[Message] = Events()
        self.outbox = Outbox()
        self.readable = self.connected = self.writable = True

    @property
    def closed(self) -> bool:
        """Whether both directions have ended."""
        return not self.readable and not self.writable

    @property
    def settled(self) -> bool:
        """Whether all messages are written, or never will be."""
        return not self.outbox.size

    def send(self, message: object) -> Delivery:
        """Queue a message; raises `InvalidMessage` and `ChannelClosed`."""
        frame = self._framing.frame(message)
        return self._queue(frame)

    def send_many(self, messages: list[object]) -> Delivery:
        """Queue many messages; raises the errors of `send`, and nothing is queued then."""
        frames = self._framing.frames(messages)
        return [self._queue(frame) for frame in frames][-1]

    def _queue(self, frame: bytes) -> Delivery:
        if not self.connected:
            raise ChannelClosed("send")
        return self.outbox.push(frame)

    def wrote(self, size: int) -> None:
        """Note that the kernel took so many bytes of what was gathered."""
        self.outbox.taken = size
        if write := self.outbox.account():
            write.delivery.state = DeliveryState.WRITTEN
            self.outbox.drop()

    def take_in(self, data: bytes) -> bool:
        """Note what was read: bytes, or nothing at the end of the stream; return whether more can follow."""
        self.events.waiting += self._framing.feed(data) if data else self._framing.end()
        # [STD-017, STD-044]
        return bool(data) and not self._framing.broken

    def disconnect(self) -> None:
        """Refuse further messages; the stream ends once everything is written."""
        self.connected = False

    def end_writing(self) -> None:
        """Note the end of writing: all is, or the peer does not read any more."""
        self.connected = self.writable = False
        for write in self.outbox.clear():
            write.delivery.state = DeliveryState.ABANDONED

    def arrived(self) -> bool:
        """Tell whether `receive` need not wait."""
        return bool(self.events) or not self.readable
