"""The two state machines of a channel, as tables.

*The channel.* There is no greeting and no closing message on the wire: a channel is open from the start and ends with end of file.
The `disconnect` of a program is the wish to end once the queue is written; a handle that waits for its acknowledgement
holds that moment back (LIF chapter). `PEER_GONE` means that writing failed: no message can be sent any more, while messages that the
peer wrote before it went away can still be read.

*The hand-over of a handle.* At most a single handle is under way in each direction (HND chapter). It is written, then it waits; an
acknowledgement ends it, a refusal writes the same bytes and descriptor again, and after the last refusal the sender gives up.

A pair that is missing from a table is an illegal move: a local call is refused, a message of the peer is reported as its error.

Where a message or a handle passes, this package has its own names for the members of enumerations: up to Python 3.11 each lookup in a
class raises and catches an error inside, which takes longer than calling a function.
"""

from __future__ import annotations

from enum import Enum, auto


class _Named(Enum):
    # Its own hash is Python code, and every move looks a pair of them up.
    __hash__ = object.__hash__


class Channel(_Named):
    """States of the channel."""

    OPEN = auto()
    DISCONNECTING = auto()  # disconnect() was called; queued messages are still being written
    PEER_GONE = auto()  # writing failed; earlier messages can still be read
    CLOSED = auto()


class ChannelInput(_Named):
    """The inputs of the channel."""

    SEND = auto()
    DISCONNECT = auto()
    FLUSHED = auto()  # the queue is empty and no handle is under way
    WRITE_FAILED = auto()
    EOF = auto()
    CLOSE = auto()


class HandOver(_Named):
    """States of the hand-over of a handle, at the sender."""

    IDLE = auto()
    WRITING = auto()  # the envelope is not completely written
    AWAITING = auto()  # written, neither acknowledged nor refused


class HandOverInput(_Named):
    """The inputs of a hand-over."""

    SEND = auto()
    WRITE_DONE = auto()
    ACK = auto()
    NACK = auto()
    GIVE_UP = auto()  # the last NACK that is tolerated


CHANNEL = {
    (Channel.OPEN, ChannelInput.SEND): Channel.OPEN,
    (Channel.OPEN, ChannelInput.DISCONNECT): Channel.DISCONNECTING,
    (Channel.OPEN, ChannelInput.WRITE_FAILED): Channel.PEER_GONE,
    (Channel.OPEN, ChannelInput.EOF): Channel.CLOSED,
    (Channel.OPEN, ChannelInput.CLOSE): Channel.CLOSED,
    (Channel.DISCONNECTING, ChannelInput.DISCONNECT): Channel.DISCONNECTING,
    (Channel.DISCONNECTING, ChannelInput.FLUSHED): Channel.CLOSED,
    (Channel.DISCONNECTING, ChannelInput.WRITE_FAILED): Channel.CLOSED,
    (Channel.DISCONNECTING, ChannelInput.EOF): Channel.CLOSED,
    (Channel.DISCONNECTING, ChannelInput.CLOSE): Channel.CLOSED,
    (
        Channel.PEER_GONE,
        ChannelInput.WRITE_FAILED,
    ): Channel.PEER_GONE,  # an answer to a handle that is still being read
    (Channel.PEER_GONE, ChannelInput.DISCONNECT): Channel.CLOSED,
    (Channel.PEER_GONE, ChannelInput.EOF): Channel.CLOSED,
    (Channel.PEER_GONE, ChannelInput.CLOSE): Channel.CLOSED,
    (Channel.CLOSED, ChannelInput.DISCONNECT): Channel.CLOSED,
    (Channel.CLOSED, ChannelInput.CLOSE): Channel.CLOSED,
}

HAND_OVER = {
    (HandOver.IDLE, HandOverInput.SEND): HandOver.WRITING,
    (HandOver.WRITING, HandOverInput.WRITE_DONE): HandOver.AWAITING,
    (HandOver.AWAITING, HandOverInput.ACK): HandOver.IDLE,
    (HandOver.AWAITING, HandOverInput.NACK): HandOver.WRITING,
    (HandOver.AWAITING, HandOverInput.GIVE_UP): HandOver.IDLE,
}
