"""The limit that a channel in Python can reach: a bare socket pair, no errors, no event loop.

``raw`` moves the bytes of the frames and counts them. ``json`` also serializes each message at the sender, splits lines and
parses them at the receiver; ``each`` does this with a system call for each message, which is the least for a sender that may not
wait for the next message. Each of them also talks to a peer of another kind, and shows the limit of that peer.
For hand-overs see ``floor_handles.py``.
"""

import os
import socket
import subprocess
import time

import orjson
from floor_handles import handles_floor

from orders import Job, counts, report

job = Job()
payload = job.payload
FRAME = orjson.dumps(payload) + b"\n"
CHUNK = 65536
PER_CHUNK = max(1, CHUNK // len(FRAME))
BLOCK = FRAME * PER_CHUNK
server = socket.socket()


class Raw:
    """Moves the bytes of frames."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray(CHUNK)

    def produce(self, count):
        full, rest = divmod(count, PER_CHUNK)
        for _ in range(full):
            self.sock.sendall(BLOCK)
        self.sock.sendall(FRAME * rest)

    def consume(self, count):
        left = count * len(FRAME)
        while left:
            got = self.sock.recv_into(self.buffer, min(left, CHUNK))
            if not got:
                raise EOFError
            left -= got


class Json:
    """Serializes, joins, splits and parses."""

    def __init__(self, sock, per_call):
        self.sock = sock
        self.per_call = per_call

    def produce(self, count):
        dumps = orjson.dumps
        while count:
            some = min(count, self.per_call)
            count -= some
            # Adding the line feed to each is the fastest way: it copies out of the large buffer that orjson leaves behind.
            self.sock.sendall(b"".join([dumps(payload) + b"\n" for _ in range(some)]))

    def consume(self, count):
        loads = orjson.loads
        parts = []
        while count:
            data = self.sock.recv(CHUNK)
            if not data:
                raise EOFError
            parts.append(data)
            if b"\n" not in data:
                continue
            lines = b"".join(parts).split(b"\n")
            parts = [lines.pop()]
            for line in lines:
                loads(line)
            count -= len(lines)


def send_word(sock, value):
    sock.sendall(b"%s\n" % orjson.dumps(value))


def receive_word(sock):
    """Return a value outside of the measurement, or None at the end; takes no byte behind it."""
    line = b""
    while not line.endswith(b"\n"):
        byte = sock.recv(1)
        if not byte:
            return None
        line += byte
    return orjson.loads(line)


def channel(sock):
    how = job.asked["floor"]
    if job.handles:
        return handles_floor(job, sock, server)
    return Raw(sock) if how == "raw" else Json(sock, PER_CHUNK if how == "json" else 1)


def child(sock):
    end = channel(sock)
    send_word(sock, "ready")
    while isinstance(count := receive_word(sock), int):  # Node may ask about its sockets at the end
        if job.kind == "up":
            end.produce(count)
        elif job.kind == "down":
            end.consume(count)
            send_word(sock, "all")
        elif job.handles:
            end.take_all(count)
            send_word(sock, "all")
        else:
            for _ in range(count):
                end.consume(1)
                end.produce(1)


def parent(sock, pid):
    end = channel(sock)
    receive_word(sock)
    server.bind(("127.0.0.1", 0))
    server.listen(4096)
    report(pid=pid, port=server.getsockname()[1])
    for count in counts():
        accepted = [server.accept()[0] for _ in range(count)] if job.kind == "socket" else [server] * count
        began = time.perf_counter()
        send_word(sock, count)
        if job.kind == "up":
            end.consume(count)
        elif job.kind == "down":
            end.produce(count)
            receive_word(sock)
        elif job.handles:
            end.give_all(accepted)
            receive_word(sock)
        else:
            for _ in range(count):
                end.produce(1)
                end.consume(1)
        report(seconds=time.perf_counter() - began)


def main():
    if job.role == "child":
        child(socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"])))
        return
    ours, theirs = socket.socketpair()
    with ours, theirs:
        fd = theirs.fileno()
        process = subprocess.Popen(job.child, pass_fds=[fd], env={**os.environ, "NODE_CHANNEL_FD": str(fd)})
        theirs.close()
        parent(ours, process.pid)
    process.wait()


main()
