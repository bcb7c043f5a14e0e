"""Both ends of Node.js's `NODE_CHANNEL_FD` channel, in Python.

    import nodechannel

    with nodechannel.fork("worker.js") as child:   # a child of Node has nodechannel.connect() here
        child.send({"n": 1})
        print(child.receive(timeout=10).data)

A child of a Node parent (`connect`), or the parent of a Node child (`fork`, `spawn`): messages are JSON values, and sockets travel with
them. This module is the blocking front end; `nodechannel.asyncio` has the same words as coroutines. The wire is described in spec/.
"""

from nodechannel import _facade
from nodechannel._blocking.channel import Channel, ChildProcess, connect, fork, spawn
from nodechannel._core.delivery import Delivery, DeliveryState
from nodechannel._core.message import Message
from nodechannel._handles.outgoing import Sendable
from nodechannel._handles.received import ReceivedHandle
from nodechannel._handles.types import HandleType
from nodechannel.errors import (
    BadChannelFd,
    BadEnvelope,
    ChannelClosed,
    ChannelError,
    ConnectionLost,
    FrameTooLong,
    HandleAbandoned,
    HandleMismatch,
    HandleTaken,
    InvalidAddress,
    InvalidEvent,
    InvalidFrame,
    InvalidHandle,
    InvalidHeader,
    InvalidJson,
    InvalidMessage,
    LifelineUnsupported,
    LineTooLong,
    ListenFailed,
    LocalError,
    MalformedMessage,
    MissingDescriptor,
    NoChannel,
    NodeNotFound,
    NotAWorker,
    NotMainThread,
    NotOnThisSystem,
    ReentrantCall,
    RemoteError,
    SendTimeout,
    SerializationMismatch,
    StreamsUnavailable,
    TruncatedMessage,
    UnexpectedAck,
    UnsupportedSerialization,
    WorkerBehind,
    WorkersFail,
)

# Never true, for tools that read this file alone: `TYPE_CHECKING` would be another name that they offer.
if __name__ == "TYPE_CHECKING":
    from nodechannel import asyncio as asyncio
    from nodechannel import cluster as cluster
    from nodechannel import errors as errors
    from nodechannel import execa as execa
    from nodechannel import hop as hop
    from nodechannel import js as js
    from nodechannel import lsp as lsp
    from nodechannel import nest as nest
    from nodechannel import nodeipc as nodeipc
    from nodechannel import pm2 as pm2
    from nodechannel import redis as redis
    from nodechannel import rpc as rpc
    from nodechannel import rsmq as rsmq
    from nodechannel import stdio as stdio
    from nodechannel import workers as workers
    from nodechannel._core.options import ChannelOptions, OpenOptions
    from nodechannel._core.serialization import Serialization
    from nodechannel._start.options import SpawnOptions

__version__ = "0.2.0"

__all__ = [
    "BadChannelFd",
    "BadEnvelope",
    "Channel",
    "ChannelClosed",
    "ChannelError",
    "ChannelOptions",
    "ChildProcess",
    "ConnectionLost",
    "Delivery",
    "DeliveryState",
    "FrameTooLong",
    "HandleAbandoned",
    "HandleMismatch",
    "HandleTaken",
    "HandleType",
    "InvalidAddress",
    "InvalidEvent",
    "InvalidFrame",
    "InvalidHandle",
    "InvalidHeader",
    "InvalidJson",
    "InvalidMessage",
    "LifelineUnsupported",
    "LineTooLong",
    "ListenFailed",
    "LocalError",
    "MalformedMessage",
    "Message",
    "MissingDescriptor",
    "NoChannel",
    "NodeNotFound",
    "NotAWorker",
    "NotMainThread",
    "NotOnThisSystem",
    "OpenOptions",
    "ReceivedHandle",
    "ReentrantCall",
    "RemoteError",
    "SendTimeout",
    "Sendable",
    "Serialization",
    "SerializationMismatch",
    "SpawnOptions",
    "StreamsUnavailable",
    "TruncatedMessage",
    "UnexpectedAck",
    "UnsupportedSerialization",
    "WorkerBehind",
    "WorkersFail",
    "connect",
    "fork",
    "spawn",
]

_facade.publish(
    __name__,
    {
        "ChannelOptions": "nodechannel._core.options",
        "OpenOptions": "nodechannel._core.options",
        "Serialization": "nodechannel._core.serialization",
        "SpawnOptions": "nodechannel._start.options",
        "asyncio": "nodechannel.asyncio",
        "cluster": "nodechannel.cluster",
        "errors": "nodechannel.errors",
        "execa": "nodechannel.execa",
        "hop": "nodechannel.hop",
        "js": "nodechannel.js",
        "lsp": "nodechannel.lsp",
        "nest": "nodechannel.nest",
        "nodeipc": "nodechannel.nodeipc",
        "pm2": "nodechannel.pm2",
        "redis": "nodechannel.redis",
        "rpc": "nodechannel.rpc",
        "rsmq": "nodechannel.rsmq",
        "stdio": "nodechannel.stdio",
        "workers": "nodechannel.workers",
    },
)
