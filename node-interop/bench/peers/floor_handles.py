"""The limit that a hand-over in Python can reach: programs without further duties, which know a single frame and survive no surprise.

`Constant` looks at no byte. `Objects` does the least that a library needs: it looks at its handle, parses the frame, makes a socket of it
that does not block. `InLoop` does the same in callbacks of an event loop, as an asynchronous channel must.
"""

import importlib
import os
import socket
import sys

import orjson

ACK = b'{"cmd":"NODE_HANDLE_ACK"}\n'
CHUNK = 65536
INT = 4
ROOM = socket.CMSG_SPACE(253 * INT)

# Plain integers: the operators of flags are Python code.
RECEIVING = int(socket.MSG_CMSG_CLOEXEC)
SENDING = int(socket.MSG_NOSIGNAL)


class Constant:
    """Gives and takes sockets with frames that are always the same."""

    def __init__(self, sock, server):
        self.sock = sock
        self.server = server

    def give_all(self, sockets):
        for one in sockets:
            self.give(one)
            self.given(one)

    def take_all(self, count):
        for _ in range(count):
            self.take()

    def give(self, one):
        kind = "net.Server" if one is self.server else "net.Socket"
        frame = b'{"cmd":"NODE_HANDLE","type":"%s","msg":0}\n' % kind.encode()
        socket.send_fds(self.sock, [frame], [one.fileno()])

    def given(self, one):
        self.await_ack()
        if one is not self.server:
            one.close()

    def await_ack(self):
        self.sock.recv(len(ACK), socket.MSG_WAITALL)

    def take(self):
        _data, fds, _flags, _address = socket.recv_fds(self.sock, CHUNK, 1)
        self.sock.sendall(ACK)
        os.close(fds[0])


class Objects(Constant):
    """Looks at the handle that it gives, parses the frame that it takes, and makes sockets of descriptors."""

    def give(self, one):
        probe = socket.SocketType(fileno=one.fileno())
        stream = probe.type == socket.SOCK_STREAM and probe.family in (socket.AF_INET, socket.AF_INET6)
        listening = stream and probe.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        probe.detach()
        kind = b"net.Server" if listening else b"net.Socket"
        frame = b'{"cmd":"NODE_HANDLE","type":"%s","msg":%s}\n' % (kind, orjson.dumps(0))
        rights = one.fileno().to_bytes(INT, sys.byteorder)
        self.sock.sendmsg([frame], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)], SENDING)

    def await_ack(self):
        line = self.sock.recvmsg(len(ACK), ROOM, RECEIVING)[0]
        if orjson.loads(line)["cmd"] != "NODE_HANDLE_ACK":
            raise EOFError

    def take(self):
        data, ancillary, _flags, _address = self.sock.recvmsg(CHUNK, ROOM, RECEIVING)
        lines = data.split(b"\n")
        lines.pop()
        for line in lines:
            envelope = orjson.loads(line)
            if envelope.get("cmd") != "NODE_HANDLE":
                raise EOFError
            self.sock.send(ACK, SENDING)
            received = socket.socket(fileno=int.from_bytes(ancillary[0][2], sys.byteorder))
            listening = received.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if listening != (envelope["type"] == "net.Server"):
                raise EOFError
            received.settimeout(0.0)
            received.close()


class InLoop(Objects):
    """Does so in callbacks of asyncio's loop, or of uvloop's."""

    def __init__(self, sock, server, uvloop):
        super().__init__(sock, server)
        self.loop = importlib.import_module("uvloop" if uvloop else "asyncio").new_event_loop()

    def give_all(self, sockets):
        left = list(reversed(sockets))

        def next_one():
            self.given(left.pop())
            if left:
                self.give(left[-1])
            else:
                self.loop.stop()

        self.give(left[-1])
        self.run(next_one)

    def take_all(self, count):
        left = count

        def one():
            nonlocal left
            self.take()
            left -= 1
            if not left:
                self.loop.stop()

        self.run(one)

    def run(self, readable):
        self.loop.add_reader(self.sock, readable)
        self.loop.run_forever()
        self.loop.remove_reader(self.sock)
        self.sock.setblocking(True)  # uvloop changes it


def handles_floor(job, sock, server):
    """Return the peer that the job asks for."""
    how = job.asked["floor"]
    if how == "loop":
        return InLoop(sock, server, job.asked["uvloop"])
    if how == "json":
        return Objects(sock, server)
    return Constant(sock, server)
