"""A peer that keeps every rule, in a plain program: the base of the mutants.

``peer.py echo`` is an echo child (rung 0) that takes handles; ``peer.py decode`` and ``peer.py encode`` are filters (rung C);
``peer.py`` is a driven adapter for both roles, handles included. Each mutant is
this text with a small replacement. So the functions are short, and each of them has a single idea.
"""

import array
import errno
import json
import os
import re
import select
import socket
import sys

sys.setrecursionlimit(20000)  # messages may be nested deeply

ACK = {"cmd": "NODE_HANDLE_ACK"}
NACK = {"cmd": "NODE_HANDLE_NACK"}
ANSWERS = (ACK["cmd"], NACK["cmd"])
ATTEMPTS = 4
LARGEST = 2**53 - 1
CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
FITTING = {
    "net.Server": ("server",),
    "net.Socket": ("stream",),
    "net.Native": ("server", "stream"),
    "dgram.Socket": ("datagram",),
    "dgram.Native": ("datagram",),
    "net.BoundSocket": ("bound",),
}
"""Type of an envelope to the kinds of descriptor that it can name."""
SENDABLE = {"server": "net.Server", "stream": "net.Socket", "datagram": "dgram.Socket"}
UNDEFINED = object()


class Refused(Exception):
    """A command that cannot be carried out; no byte was written."""


# ---- values --------------------------------------------------------------------------------------------------


def decode(line):
    """The value of a line. Raises ValueError."""
    text = line.decode("utf-8", "replace")
    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word)


def read_integer(digits):
    """An integer keeps its digits as long as it is in the range of a double; the negative zero is a float."""
    if digits == "-0":
        return -0.0
    return int(digits) if len(digits) < 400 else float(digits)


def refuse_word(word):
    """NaN and the infinities are no JSON."""
    raise ValueError(word)


def encode(message, large=False):
    """The frame of a message; ``large`` allows integers that a double rounds. Raises Refused."""
    if not large and has_large_integer(message):
        raise Refused("an integer beyond 2^53-1")
    try:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Refused(str(error)) from error
    return LONE_SURROGATE.sub(escape, text).encode("utf-8") + b"\n"


def escape(found):
    """The escape of a lone surrogate."""
    return f"\\u{ord(found[0]):04x}"


def has_large_integer(message):
    """Whether a receiver that reads doubles would round an integer of the message."""
    todo = [message]
    while todo:
        value = todo.pop()
        if isinstance(value, int) and abs(value) > LARGEST:
            return True
        todo.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
    return False


def is_internal(message):
    """Whether a message belongs to the channel itself."""
    command = message.get("cmd") if isinstance(message, dict) else None
    return isinstance(command, str) and command.startswith("NODE_") and len(command) > len("NODE_")


class Framer:
    """Cuts the stream into lines."""

    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        """The lines that are complete now."""
        start = len(self.buffer)
        self.buffer += data
        if self.buffer.find(b"\n", start) < 0:
            return []
        *lines, rest = bytes(self.buffer).split(b"\n")
        self.buffer = bytearray(rest)
        return lines


# ---- descriptors ---------------------------------------------------------------------------------------------


def receive(end):
    """Bytes and descriptors, none of which a program that is started would inherit."""
    data, rights, _flags, _address = end.recvmsg(65536, socket.CMSG_SPACE(8 * 4), CLOEXEC)
    found = array.array("i")
    for _level, _kind, numbers in rights:
        found.frombytes(numbers)
    return data, found.tolist()


def kind_of(descriptor):
    """The kind of a descriptor: server, stream, datagram or other."""
    number = os.dup(descriptor)
    try:
        copy = socket.socket(fileno=number)
    except OSError:
        os.close(number)
        return "other"
    with copy:
        if copy.type == socket.SOCK_DGRAM:
            return "other" if copy.family == socket.AF_UNIX else "datagram"
        listening = copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if listening:
            return "server"
        try:
            copy.getpeername()
        except OSError as error:
            return "bound" if error.errno == errno.ENOTCONN and copy.family != socket.AF_UNIX else "stream"
        return "stream"


def envelope_of(message, handle, key=None):
    """The envelope that announces a handle."""
    envelope = {"cmd": "NODE_HANDLE", "type": type_of(handle), "msg": message}
    if key is not None:
        envelope["key"] = key
    if envelope["type"] == "dgram.Socket":
        envelope["dgramType"] = "udp6" if handle.family == socket.AF_INET6 else "udp4"
    return envelope


def type_of(handle):
    """The type that an envelope gives to a socket. Raises Refused."""
    if handle.fileno() < 0:
        raise Refused("the handle has no descriptor")
    kind = kind_of(handle.fileno())
    if kind not in SENDABLE:
        raise Refused(f"{kind} is no kind that can be sent")
    return SENDABLE[kind]


# ---- the channel ---------------------------------------------------------------------------------------------


class Channel:
    """An end of the channel. It calls ``user`` for all that arrives: ``message``, ``error``, ``disconnected``."""

    def __init__(self, end, user):
        end.setblocking(False)
        self.end = end
        self.user = user
        self.framer = Framer()
        self.is_open = True
        self.leaving = False
        self.outgoing = []
        """Bytes that the kernel has not taken yet, each with the descriptor that comes with them, if any."""
        self.held = []
        """Frames that wait behind a handle."""
        self.under_way = None
        self.refusals = 0
        self.descriptors = []
        """Descriptors that no envelope has claimed yet."""
        self.keys = {}
        """Descriptors of open connections that came with a key."""
        self.lists = {}
        """Keys that came, and how many of their connections are open."""
        self.announced = set()
        """Keys whose server is closing."""
        self.questions = []
        """Keys of open questions, and the function that takes the answer."""

    # receiving

    def receive(self):
        """A read and all that follows from it."""
        try:
            data, descriptors = receive(self.end)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        self.descriptors += descriptors
        if not self.framer.buffer and data.startswith(b"\0") and data[4:5] == b"\xff":
            self.user.error("remote", "OTHER_MODE", "a frame of the mode advanced")
        for line in self.framer.feed(data):
            self.take(line)
        if not self.framer.buffer:
            self.close_strays()
        self.close_all_but(1)
        if not data:
            self.close()

    def take(self, line):
        """One line."""
        try:
            message = decode(line)
        except (ValueError, RecursionError) as error:
            self.user.error("remote", "BAD_LINE", str(error))
            return
        if is_internal(message):
            self.take_internal(message)
        else:
            self.user.message(message)

    def take_internal(self, message):
        """A message of the channel itself; unknown messages are ignored."""
        if message["cmd"] == "NODE_HANDLE":
            self.take_envelope(message)
        elif message["cmd"] in ANSWERS:
            self.take_answer(accepted=message["cmd"] == ACK["cmd"])
        elif isinstance(message.get("key"), str):
            self.take_question(message, message["key"])

    def take_question(self, asked, key):
        """A question about the connections of a key, or the answer to an own question."""
        if asked["cmd"] == "NODE_SOCKET_COUNT":
            self.answered(key, asked.get("count"))
        if key not in self.lists:
            return
        if asked["cmd"] == "NODE_SOCKET_GET_COUNT":
            self.tell({"cmd": "NODE_SOCKET_COUNT", "key": key, "count": self.lists[key]})
        elif asked["cmd"] == "NODE_SOCKET_NOTIFY_CLOSE":
            self.announced.add(key)
            self.all_closed(key)

    def ask(self, key, tell):
        """Asks for the number of connections of a key that are open at the far end."""
        if not self.is_open:
            tell(None)
            return
        self.questions.append((key, tell))
        self.tell({"cmd": "NODE_SOCKET_GET_COUNT", "key": key})

    def answered(self, key, count):
        """Passes the count to all questions about the key; None stands for no answer."""
        due = [tell for asked, tell in self.questions if key in (None, asked)]
        self.questions = [(asked, tell) for asked, tell in self.questions if key not in (None, asked)]
        for tell in due:
            tell(count)

    def connection_closed(self, descriptor):
        """The user closed a handle."""
        key = self.keys.pop(descriptor, None)
        if key is not None:
            self.lists[key] -= 1
            self.all_closed(key)

    def all_closed(self, key):
        """Reports that all connections of a key are closed, if the peer has announced the close of its server."""
        if key in self.announced and not self.lists[key]:
            self.announced.remove(key)
            self.tell({"cmd": "NODE_SOCKET_ALL_CLOSED", "key": key})

    def tell(self, message):
        """Sends a message of the channel in its turn."""
        self.held.append((encode(message), None))
        self.release()

    def take_envelope(self, envelope):
        """An envelope, with its descriptor or without it."""
        if not self.descriptors:
            self.write(NACK)
            return
        descriptor = self.descriptors.pop(0)
        self.write(ACK)
        inner = envelope.get("msg")
        if isinstance(inner, dict) and inner.get("cmd") == "NODE_HANDLE":
            envelope = inner  # a retransmission of Node
        kind, message = envelope.get("type"), envelope.get("msg")
        if not isinstance(kind, str) or kind_of(descriptor) not in FITTING.get(kind, ()):
            os.close(descriptor)
            self.user.error("remote", "BAD_HANDLE", repr(kind))
        elif is_internal(message):
            os.close(descriptor)
        else:
            if kind == "net.Socket" and envelope.get("key"):
                self.keys[descriptor] = key = envelope["key"]
                self.lists[key] = self.lists.get(key, 0) + 1
            os.set_blocking(descriptor, False)
            self.user.message(message, kind, socket.socket(fileno=descriptor))

    def take_answer(self, accepted):
        """The answer to the handle that is under way."""
        if self.under_way is None:
            self.user.error("remote", "UNEXPECTED_ANSWER", "no handle is under way")
            return
        frame, descriptor = self.under_way
        if not accepted:
            self.refusals += 1
            if self.refusals < ATTEMPTS:
                self.put(frame, descriptor)
                return
            self.user.error("remote", "GIVEN_UP", "the handle was refused too often")
        self.under_way = None
        os.close(descriptor)
        self.release()

    def close_strays(self):
        """Closes all descriptors: no unfinished line is left that could claim them."""
        self.close_all_but(0)

    def close_all_but(self, kept):
        """Keeps the oldest descriptors, which an unfinished line can claim, and closes the rest."""
        while len(self.descriptors) > kept:
            os.close(self.descriptors.pop())

    # sending

    def send(self, message, handle=None, large=False, key=None):
        """Accepts a message of the user. Raises Refused."""
        if not self.is_open or self.leaving:
            raise Refused("the channel has ended")
        if is_internal(message):
            raise Refused("the message looks internal")
        if handle is None:
            self.held.append((encode(message, large), None))
        else:
            frame = encode(envelope_of(message, handle, key))
            handle.setblocking(False)
            self.held.append((frame, os.dup(handle.fileno())))
        self.release()

    def release(self):
        """Writes the frames that no handle holds back any more."""
        while self.held and self.under_way is None:
            frame, descriptor = self.held.pop(0)
            if descriptor is not None:
                self.under_way, self.refusals = (frame, descriptor), 0
            self.put(frame, descriptor)
        self.leave_when_done()

    def write(self, answer):
        """Writes an answer, ahead of all frames that are held back."""
        self.put(encode(answer), None)

    def put(self, frame, descriptor):
        """Queues bytes for the kernel."""
        self.outgoing.append((memoryview(frame), descriptor))
        self.flush()

    def flush(self):
        """Writes as much as the kernel takes."""
        while self.outgoing and self.is_open:
            data, descriptor = self.outgoing[0]
            try:
                taken = socket.send_fds(self.end, [data], [] if descriptor is None else [descriptor])
            except BlockingIOError:
                return
            except OSError:  # the peer is gone; the end of file says so
                self.outgoing.clear()
                return
            if taken < len(data):
                self.outgoing[0] = (data[taken:], None)
            else:
                del self.outgoing[0]
        self.leave_when_done()

    # the end

    def disconnect(self):
        """Ends the channel once all sent messages are settled."""
        self.leaving = True
        self.leave_when_done()

    def leave_when_done(self):
        """Closes when no frame is left to write."""
        if self.leaving and not (self.held or self.outgoing or self.under_way):
            self.close()

    def close(self):
        """Closes the end and reports it once."""
        if not self.is_open:
            return
        self.is_open = False
        self.end.close()
        self.close_strays()
        if self.under_way is not None:
            os.close(self.under_way[1])
        for _frame, descriptor in self.held:
            if descriptor is not None:
                os.close(descriptor)
        self.held.clear()
        self.answered(None, None)
        self.user.disconnected()


def inherited_channel():
    """The child's end of the channel. Raises Refused."""
    number = os.environ.pop("NODE_CHANNEL_FD", "")
    if not number.isdecimal():
        raise Refused(f"{number!r} is no number of a descriptor")
    if os.environ.pop("NODE_CHANNEL_SERIALIZATION_MODE", "") not in ("", "json"):
        raise Refused("only JSON is spoken here")
    end = socket.socket(fileno=int(number))
    os.set_inheritable(end.fileno(), False)
    return end


# ---- the echo child ------------------------------------------------------------------------------------------


class Echo:
    """Echoes messages until the channel ends."""

    def __init__(self):
        self.channel = Channel(inherited_channel(), self)
        self.handles = []

    def message(self, message, _kind=None, handle=None):
        """Answers a message; a handle stays until it is named by its number."""
        if handle is not None:
            self.handles.append(handle)
        if isinstance(message, dict) and "closeHandle" in message:
            closed = self.handles[message["closeHandle"] - 1]
            descriptor = closed.fileno()
            closed.close()
            self.channel.connection_closed(descriptor)
        if self.channel.is_open:
            self.channel.send({"echo": finite(message)}, large=True)

    def error(self, blame, code, text):
        """Writes the error to stderr."""
        print(blame, code, text, file=sys.stderr)

    def disconnected(self):
        """The loop in ``serve`` sees the end by itself."""

    def serve(self):
        """Runs until the channel ends."""
        while self.channel.is_open:
            wait([self.channel])


def wait(channels, others=(), seconds=None):
    """Waits for channels and ``others``, serves the channels, and returns the readable ones among ``others``."""
    channels = [one for one in channels if one.is_open]
    poller = select.poll()
    for one in channels:
        poller.register(one.end, select.POLLIN | (select.POLLOUT if one.outgoing else 0))
    for other in others:
        poller.register(other, select.POLLIN)
    ready = dict(poller.poll(seconds and seconds * 1000))
    for one in channels:
        happened = ready.pop(one.end.fileno(), 0)
        if happened & select.POLLOUT:
            one.flush()
        if happened & ~select.POLLOUT and one.is_open:
            one.receive()
    return set(ready)


def finite(value):
    """The value with null for each infinity, as ECMAScript writes it."""
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return None
    if isinstance(value, list):
        return [finite(member) for member in value]
    if isinstance(value, dict):
        return {key: finite(member) for key, member in value.items()}
    return value


# ---- the filters ---------------------------------------------------------------------------------------------


class Filter:
    """Rung C: a direction of the codec, from stdin to stdout."""

    def __init__(self, way):
        self.serve = {"decode": self.decode, "encode": self.encode}[way]

    def decode(self):
        """Bytes of a stream to events."""
        framer = Framer()
        while data := os.read(0, 65536):
            for line in framer.feed(data):
                self.event(line)

    def event(self, line):
        """A line; a line that is not JSON is rejected."""
        try:
            message = decode(line)
        except (ValueError, RecursionError):
            sys.exit(1)
        kind = "internal" if is_internal(message) else "message"
        say({"event": kind, "message": tag(message)})

    def encode(self):
        """Messages to frames; a value that cannot be sent is rejected."""
        for line in sys.stdin.buffer:
            try:
                frame = encode(untag(json.loads(line)))
            except Refused:
                sys.exit(1)
            while frame:
                frame = frame[os.write(1, frame) :]


# ---- the driven adapter --------------------------------------------------------------------------------------


def say(line):
    """Writes a line of the control channel."""
    data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


def tag(value):
    """A value as it travels on the control channel."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"$": "number", "v": {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")}
    if isinstance(value, float) and str(value) == "-0.0":
        return {"$": "number", "v": "-0"}
    if isinstance(value, list):
        return [tag(member) for member in value]
    if isinstance(value, dict) and "$" in value:
        return {"$": "object", "v": [[key, tag(member)] for key, member in value.items()]}
    if isinstance(value, dict):
        return {key: tag(member) for key, member in value.items()}
    return value


def untag(value):
    """The value that travelled."""
    if isinstance(value, list):
        return [untag(member) for member in value]
    if not isinstance(value, dict):
        return value
    if value.get("$") == "number":
        return -0.0 if value["v"] == "-0" else float(value["v"].replace("Infinity", "inf"))
    if value.get("$") == "undefined":
        return UNDEFINED
    if value.get("$") == "object":
        return {key: untag(member) for key, member in value["v"]}
    return {key: untag(member) for key, member in value.items()}


LATER = {"later": True}
"""Stands for a reply that comes when the peer has answered."""


def address_of(text):
    """Host and port of an address of the kit, in which the host of IPv6 is in brackets."""
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


class Driven:
    """Obeys the commands of the runner."""

    def __init__(self):
        self.channel = None
        self.child = None
        self.child_ended = None
        self.handles = {}
        self.keys = {}
        """Names of accepted connections to the keys of their servers."""
        self.received = 0
        self.proofs = []
        """Servers and the text that is owed to their next connection."""
        self.input = Framer()

    # calls of the channel

    def message(self, message, kind=None, handle=None):
        """A message of the peer."""
        event = {"event": "message", "message": tag(message)}
        if handle is not None:
            self.received += 1
            name = f"h{self.received}"
            self.handles[name] = handle
            event["handle"] = {"name": name, "type": kind}
        say(event)

    def error(self, blame, code, text):
        """An error that no command caused."""
        say({"event": "error", "blame": blame, "code": code, "text": text})

    def disconnected(self):
        """The end of the channel."""
        say({"event": "disconnect"})

    # commands

    def obey(self, line):
        """One command."""
        ask = json.loads(line)
        known = {
            "hello": self.hello,
            "open": self.open,
            "send": self.send,
            "disconnect": self.disconnect,
            "exit": self.exit,
            "make": self.make,
            "prove": self.prove,
            "accept": self.accept,
            "getConnections": self.get_connections,
            "start": self.start_other,
            "close": self.close,
        }
        if ask["command"] not in known:
            say({"id": ask["id"], "ok": False, "unsupported": True})
            return
        try:
            reply = known[ask["command"]](ask) or {}
            if reply != LATER:
                say({"id": ask["id"], "ok": True, **reply})
        except (Refused, OSError, KeyError) as error:
            told = {"blame": "local", "code": type(error).__name__, "text": str(error)}
            say({"id": ask["id"], "ok": False, "error": told})

    def hello(self, _ask):
        """Name, roles and capabilities."""
        sockets = ("net.Server", "net.Socket", "dgram.Socket")
        natives = ("net.Native", "dgram.Native")
        can = [f"receive:{one}" for one in (*sockets, *natives)] + [f"send:{one}" for one in sockets]
        can += ["receive:net.BoundSocket", "socket-lists", "ask-socket-lists", "start", "env"]
        facts = {"name": "peer", "version": "1", "language": "Python", "rung": 3, "contract": 1}
        return {**facts, "roles": ["child", "parent"], "capabilities": can}

    def open(self, ask):
        """Takes the inherited channel, or starts a child with a new channel."""
        end = self.start(ask["argv"], ask.get("env", {})) if "argv" in ask else inherited_channel()
        self.channel = Channel(end, self)

    def start(self, argv, env):
        """Starts a child and returns the parent's end."""
        ours, theirs = socket.socketpair()
        number = os.dup(theirs.fileno())
        theirs.close()
        variables = {"NODE_CHANNEL_FD": str(number), "NODE_CHANNEL_SERIALIZATION_MODE": "json"}
        null = os.open(os.devnull, os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1)]
        os.set_inheritable(number, True)
        self.child = os.posix_spawnp(argv[0], argv, {**os.environ, **env, **variables}, file_actions=actions)
        os.close(number)
        os.close(null)
        self.child_ended = os.pidfd_open(self.child) if hasattr(os, "pidfd_open") else None
        return ours

    def reap(self):
        """Reports the end of the child, if it has ended."""
        if (
            self.child is None
            or os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        ):
            return
        status = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        self.child = None
        if status >= 0:
            say({"event": "exit", "code": status, "signal": None})
            return
        import signal

        say({"event": "exit", "code": None, "signal": signal.Signals(-status).name})

    def send(self, ask):
        """A message of the user, with or without a handle."""
        name = ask.get("handle")
        handle = self.handles[name] if name is not None else None
        self.channel.send(untag(ask["message"]), handle, key=self.keys.get(name))
        if handle is not None and kind_of(handle.fileno()) == "stream" and not ask.get("keepOpen"):
            handle.close()  # it belongs to the receiver

    def disconnect(self, _ask):
        """Ends the channel at the wish of the user."""
        self.channel.disconnect()

    def exit(self, ask):
        """The end of this program."""
        sys.exit(ask["code"])

    def make(self, ask):
        """A socket to be sent."""
        if ask["kind"] == "tcp-server":
            made = socket.create_server(("127.0.0.1", 0))
        elif ask["kind"] == "tcp-client":
            made = socket.create_connection(address_of(ask["to"]))
        elif ask["kind"].startswith("unix-"):
            made = self.make_unix(ask["kind"], ask.get("to"))
        else:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.bind(("127.0.0.1", 0))
        self.handles[ask["name"]] = made
        self.keys.pop(ask["name"], None)
        if made.family == socket.AF_UNIX:
            return {"address": ask["to"]} if "to" in ask else {}
        return {"address": "{}:{}".format(*made.getsockname())}

    def make_unix(self, kind, path):
        """A socket of the Unix domain."""
        made = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM if kind == "unix-datagram" else socket.SOCK_STREAM
        )
        if kind == "unix-server":
            made.bind(path)
            made.listen()
        elif kind == "unix-client":
            made.connect(path)
        return made

    def accept(self, ask):
        """A connection of a server, to be sent under the server's key."""
        self.handles[ask["name"]] = self.handles[ask["handle"]].accept()[0]
        self.keys[ask["name"]] = self.key_of(ask["handle"])

    def key_of(self, server):
        """The key of a server."""
        return "4:{}:{}".format(*self.handles[server].getsockname())

    def get_connections(self, ask):
        """The number of connections of a server that are open at the far end; the answer comes later."""

        def tell(count):
            if count is not None:
                say({"id": ask["id"], "ok": True, "count": count})
            else:
                told = {"blame": "local", "code": "CLOSED", "text": "the channel ended before the answer"}
                say({"id": ask["id"], "ok": False, "error": told})

        self.channel.ask(self.key_of(ask["handle"]), tell)
        return LATER

    def start_other(self, ask):
        """Starts a process without a channel."""
        os.posix_spawnp(ask["argv"][0], ask["argv"], os.environ)

    def prove(self, ask):
        """Shows that a handle works."""
        handle = self.handles[ask["handle"]]
        kind = kind_of(handle.fileno())
        if kind == "server":
            self.proofs.append((handle, ask["text"].encode()))
        elif kind == "stream":
            handle.sendall(ask["text"].encode())
        else:
            handle.sendto(ask["text"].encode(), address_of(ask["to"]))

    def close(self, ask):
        """Closes a handle."""
        handle = self.handles.pop(ask["handle"])
        self.proofs = [one for one in self.proofs if one[0] is not handle]
        descriptor = handle.fileno()
        handle.close()
        self.channel.connection_closed(descriptor)

    def greet(self, server, text):
        """Accepts a connection and writes the text to it; tells whether a connection waited."""
        try:
            connection, _address = server.accept()
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.ECONNABORTED):
                return False
            raise
        connection.setblocking(True)
        connection.sendall(text)
        connection.close()
        return True

    def serve(self):
        """Runs until stdin ends."""
        while True:
            watched = [0, *(server.fileno() for server, _text in self.proofs)]
            if self.child is not None and self.child_ended is not None:
                watched.append(self.child_ended)
            ready = wait(
                filter(None, [self.channel]), watched, 0.02 if self.child and not self.child_ended else None
            )
            self.reap()
            self.proofs = [one for one in self.proofs if one[0].fileno() not in ready or not self.greet(*one)]
            if 0 in ready:
                data = os.read(0, 65536)
                if not data:
                    return
                for line in self.input.feed(data):
                    self.obey(line)


def main(words):
    """Serves in the role that the command line names."""
    if words == ["echo"]:
        Echo().serve()
    elif words:
        Filter(words[0]).serve()
    else:
        Driven().serve()


main(sys.argv[1:])
