"""The form of the channel on Windows for ``peer.py``, in whose text this one stands before the last line; chapter 65 of the spec.

A stand-in has the place of a socket, and the descriptor comes with the header.
"""

import struct

HEADER = struct.Struct("<4I")
DATA, SOCKET, CONNECTION = 1, 2, 4
STAND_IN = struct.Struct("<8sI")
BLOCK = 632

del SENDABLE["datagram"]  # noqa: F821 (of peer.py, as the names below)
del FITTING["dgram.Socket"], FITTING["dgram.Native"], FITTING["net.BoundSocket"]  # noqa: F821


class Form:
    """Takes headers, blocks and data out of the stream."""

    def __init__(self):
        self.head = b""
        self.block = b""
        self.wanted = 0
        """Bytes of the block that are due."""
        self.left = 0
        """Bytes of data that are due."""
        self.came = []
        """Descriptors whose block is due."""
        self.claimed = []
        """Descriptors whose block came, until data come."""
        self.is_bad = False

    def feed(self, raw):
        """The data in these bytes."""
        data = b""
        while raw and not self.is_bad:
            if self.wanted:
                part, raw = raw[: self.wanted], raw[self.wanted :]
                self.block += part
                self.wanted -= len(part)
                if not self.wanted:
                    self.take_socket()
            elif self.left:
                part, raw = raw[: self.left], raw[self.left :]
                data += part
                self.left -= len(part)
            else:
                due = HEADER.size - len(self.head)
                part, raw = raw[:due], raw[due:]
                self.head += part
                if len(self.head) == HEADER.size:
                    self.begin(*HEADER.unpack(self.head))
                    self.head = b""
        return data

    def begin(self, flags, _first, length, second):
        """A complete header."""
        self.is_bad = (
            flags & ~(DATA | SOCKET | CONNECTION) != 0
            or (flags & CONNECTION and not flags & SOCKET)
            or (length and not flags & DATA)
            or second != 0
        )
        self.left = length
        self.wanted = BLOCK if flags & SOCKET else 0

    def take_socket(self):
        """A complete block; one that is made for another process is no socket."""
        mark, pid = STAND_IN.unpack_from(self.block)
        self.block = b""
        if not self.came:
            return
        descriptor = self.came.pop(0)
        if (mark, pid) == (b"stand-in", os.getpid()):  # noqa: F821
            self.claimed.append(descriptor)
        else:
            os.close(descriptor)  # noqa: F821


plain_receive = receive  # noqa: F821
forms = {}


def receive(end):
    """Data, and the descriptors whose block stood before them."""
    form = forms.setdefault(end.fileno(), Form())
    raw, descriptors = plain_receive(end)
    form.came += descriptors
    data = form.feed(raw)
    if form.is_bad:
        end.shutdown(socket.SHUT_RD)  # noqa: F821 (the next read finds the end)
    elif raw and not data:
        raise BlockingIOError
    claimed, form.claimed = form.claimed, []
    return data, claimed


def framed(frame, descriptor):
    """The bytes of a write."""
    if descriptor is None:
        return HEADER.pack(DATA, 0, len(frame), 0) + frame
    flags = DATA | SOCKET | (CONNECTION if kind_of(descriptor) == "stream" else 0)  # noqa: F821
    block = STAND_IN.pack(b"stand-in", os.getppid()).ljust(BLOCK, b"\0")  # noqa: F821
    return HEADER.pack(flags, 0, len(frame), 0) + block + frame


def put(self, frame, descriptor):
    """Queues bytes for the kernel."""
    self.outgoing.append((memoryview(framed(frame, descriptor)), descriptor))
    self.flush()


Channel.put = put  # noqa: F821

plain_hello = Driven.hello  # noqa: F821


def hello(self, ask):
    """Without sockets that do not travel on Windows."""
    told = plain_hello(self, ask)
    told["capabilities"] = [one for one in told["capabilities"] if "dgram" not in one and "Bound" not in one]
    return told


Driven.hello = hello  # noqa: F821
