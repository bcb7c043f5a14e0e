"""Both ends of Node.js's `NODE_CHANNEL_FD` channel, in Python.

A child of a Node parent (`connect`), or the parent of a Node child (`fork`, `spawn`): messages are JSON values, and sockets travel with
them. This module is the blocking front end; `nodechannel.asyncio` has the same words as coroutines. The wire is described in spec/.
"""

from nodechannel._blocking.channel import Channel, ChildProcess, connect, fork, spawn
from nodechannel._core.connection import Message
from nodechannel._core.delivery import Delivery, DeliveryState
from nodechannel._handles.received import ReceivedHandle
from nodechannel._handles.types import HandleType
from nodechannel.errors import (
    BadChannelFd,
    BadEnvelope,
    ChannelClosed,
    ChannelError,
    HandleAbandoned,
    HandleMismatch,
    HandleTaken,
    InvalidHandle,
    InvalidJson,
    InvalidMessage,
    LineTooLong,
    ListenFailed,
    LocalError,
    MalformedMessage,
    MissingDescriptor,
    NoChannel,
    NodeNotFound,
    NotAWorker,
    RemoteError,
    SendTimeout,
    UnexpectedAck,
    UnsupportedSerialization,
    WorkersFail,
)

__version__ = "0.1.0"

__all__ = [
    "BadChannelFd",
    "BadEnvelope",
    "Channel",
    "ChannelClosed",
    "ChannelError",
    "ChildProcess",
    "Delivery",
    "DeliveryState",
    "HandleAbandoned",
    "HandleMismatch",
    "HandleTaken",
    "HandleType",
    "InvalidHandle",
    "InvalidJson",
    "InvalidMessage",
    "LineTooLong",
    "ListenFailed",
    "LocalError",
    "MalformedMessage",
    "Message",
    "MissingDescriptor",
    "NoChannel",
    "NodeNotFound",
    "NotAWorker",
    "ReceivedHandle",
    "RemoteError",
    "SendTimeout",
    "UnexpectedAck",
    "UnsupportedSerialization",
    "WorkersFail",
    "connect",
    "fork",
    "spawn",
]
