"""A worker and a primary that pass every case of chapter 90, in the simplest possible way; `catalogue/` breaks copies of it.

Run as ``cluster_peer.py worker`` or ``cluster_peer.py primary POLICY COMMAND…``; conformance/README.md describes the behaviour of both.
The program is made to be broken: each line has a single idea, and no code is shared with the reference or the kit.
"""

import array
import errno
import json
import os
import select
import socket
import sys

NODE_CLUSTER = "NODE_CLUSTER"
CONTROL = socket.CMSG_SPACE(64)


class Channel:
    """Lines and descriptors of an end, written and read as soon as possible."""

    def __init__(self, end):
        self.end = end
        self.text = b""
        self.fds = []
        self.over = False
        self.seq = 0
        self.held = []
        """Messages that wait behind a handle without acknowledgement."""
        self.waits = False

    def fileno(self):
        """The descriptor, for select."""
        return self.end.fileno()

    def lines(self):
        """The messages that have arrived; empty at the end."""
        try:
            data, ancillary, _flags, _address = self.end.recvmsg(65536, CONTROL)
        except ConnectionError:
            data, ancillary = b"", []
        for _level, _kind, rights in ancillary:
            self.fds += array.array("i", rights)
        if not data:
            self.over = True
        self.text += data
        *found, self.text = self.text.split(b"\n")
        return [json.loads(line) for line in found]

    def put(self, value, fd=None):
        """Writes a line at once."""
        rights = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        try:
            self.end.sendmsg([json.dumps(value, separators=(",", ":")).encode() + b"\n"], rights)
        except OSError:
            self.over = True

    def send(self, value, fd=None):
        """Writes a message in its turn."""
        if self.waits:
            self.held.append((value, fd))
            return
        self.waits = fd is not None
        self.put(value, fd)

    def say(self, fd=None, kind="net.Native", **members):
        """Sends a message of the cluster and returns its number."""
        number = self.seq
        self.seq += 1
        message = {"cmd": NODE_CLUSTER, **members, "seq": number}
        self.send(message if fd is None else {"cmd": "NODE_HANDLE", "type": kind, "msg": message}, fd)
        return number

    def messages(self):
        """Messages with their descriptors; handles are acknowledged on the way."""
        for value in self.lines():
            cmd = value.get("cmd") if isinstance(value, dict) else None
            if cmd == "NODE_HANDLE":
                self.put({"cmd": "NODE_HANDLE_ACK"})
                yield value["msg"], self.fds.pop(0)
            elif cmd == "NODE_HANDLE_ACK":
                self.waits = False
                held, self.held = self.held, []
                for one in held:
                    self.send(*one)
            else:
                yield value, None


class Worker:
    """Listens, echoes, obeys."""

    def __init__(self):
        self.id = os.environ.pop("NODE_UNIQUE_ID")
        self.channel = Channel(socket.socket(fileno=int(os.environ.pop("NODE_CHANNEL_FD"))))
        self.asked = {}
        """Questions by number."""
        self.servers = []
        """Key, question and listening socket of each server; no socket when the primary listens."""
        self.connections = []
        self.leaving = False
        self.bye = None
        self.done = False

    def ask(self, port):
        """Asks the primary for a place to listen."""
        queries = [*self.asked.values(), *(query for _key, query, _server in self.servers)]
        index = len([one for one in queries if one["port"] == port])
        place = {"index": index, "data": None, "address": "127.0.0.1", "port": port, "addressType": 4}
        query = {**place, "flags": 0, "backlog": 0}
        self.asked[self.channel.say(act="queryServer", **query)] = query

    def answered(self, query, message, fd):
        """The answer of the primary to a question."""
        if message.get("errno"):
            self.fail(message["errno"])
            return
        server = None
        port = query["port"]
        if fd is not None:
            server = socket.socket(fileno=fd)
            found = server.getsockname()[1]
            if query["port"] not in (0, found):
                server.close()
                self.fail(-errno.EADDRINUSE)
                return
            server.listen(64)
            port = found
        port = message.get("sockname", {}).get("port", port)
        self.servers.append((message["key"], query, server))
        self.channel.say(act="listening", **{**query, "port": port})

    def fail(self, number):
        """Tells the kit the name of an error."""
        self.channel.send({"failed": errno.errorcode[-number]})

    def offered(self, message, fd):
        """A connection."""
        accepted = message["key"] in [key for key, _query, _server in self.servers]
        self.channel.say(ack=message["seq"], accepted=accepted)
        if accepted:
            self.connections.append(socket.socket(fileno=fd))
        else:
            os.close(fd)

    def close_server(self, number=-1):
        """Gives a server back to the primary."""
        key, _query, server = self.servers.pop(number)
        if server is not None:
            server.close()
        self.channel.say(act="close", key=key)

    def obey(self, value, fd):
        """One message."""
        if not (isinstance(value, dict) and value.get("cmd") == NODE_CLUSTER):
            self.obey_user(value)
        elif value.get("ack") in self.asked:
            self.answered(self.asked.pop(value["ack"]), value, fd)
        elif "ack" in value and value["ack"] == self.bye:
            self.done = True
        elif value.get("act") == "newconn":
            self.offered(value, fd)
        elif value.get("act") == "disconnect":
            self.leave(dismissed=True)

    def obey_user(self, value):
        """Obeys a message of the kit."""
        if value == "leave":
            self.leave(dismissed=False)
        elif value == "close":
            self.close_server()
        elif isinstance(value, dict) and "close" in value:
            self.close_server(value["close"])
        elif isinstance(value, dict) and "listen" in value:
            self.ask(value["listen"])
        else:
            self.channel.send({"echo": value})

    def leave(self, dismissed):
        """Closes the servers and begins to end."""
        while self.servers:
            self.close_server()
        self.leaving = True
        if not dismissed:
            self.bye = self.channel.say(act="exitedAfterDisconnect")

    def echo(self, connection):
        """Echoes the bytes of a connection; tells whether more may come."""
        try:
            data = connection.recv(65536)
            connection.sendall(data)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            connection.close()
        return bool(data)

    def serve(self):
        """Runs until the channel ends or all work is done."""
        self.channel.say(act="online")
        self.ask(0)
        while not self.channel.over and not self.done:
            listening = [server for _key, _query, server in self.servers if server is not None]
            ready, _, _ = select.select([self.channel, *listening, *self.connections], [], [])
            for server in listening:
                if server in ready:
                    self.connections.append(server.accept()[0])
            self.connections = [one for one in self.connections if one not in ready or self.echo(one)]
            if self.channel in ready:
                for value, fd in self.channel.messages():
                    self.obey(value, fd)
            if self.leaving and self.bye is None and not self.connections:
                self.done = True


class Primary:
    """Starts a single worker and gives it sockets."""

    def __init__(self, policy, argv):
        self.shared = policy == "shared"
        ours, theirs = socket.socketpair()
        os.set_inheritable(theirs.fileno(), True)
        marks = {"NODE_CHANNEL_FD": str(theirs.fileno()), "NODE_UNIQUE_ID": "1"}
        self.child = os.posix_spawnp(argv[0], argv, {**os.environ, **marks})
        theirs.close()
        self.channel = Channel(ours)
        self.places = {}
        """Listening sockets by key."""
        self.offers = {}
        """Connections that were offered, by number, with their key."""
        self.waiting = []
        """Connections that were not offered yet, with their key."""

    def answer(self, query):
        """Answers a worker that asks for a place to listen."""
        place = [query.get(name) for name in ("address", "port", "addressType")]
        place += [query.get("index")] if query.get("port") == 0 else []
        key = ":".join(map(str, place))
        udp = query.get("addressType") == "udp4"
        common = {"key": key, "ack": query["seq"], "data": query.get("data")}
        try:
            if key in self.places:
                raise OSError(errno.EADDRINUSE, "again")
            unix = query.get("addressType") == -1
            family = socket.AF_UNIX if unix else socket.AF_INET
            server = socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
            server.setblocking(False)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, not udp)
            address = query["address"] if query["address"] is not None else ""
            server.bind(address if unix else (address, query["port"]))
        except (OSError, OverflowError, TypeError, KeyError) as error:
            self.channel.say(errno=-(getattr(error, "errno", None) or errno.EINVAL), **common)
            return
        self.places[key] = server
        if self.shared or udp:
            kind = "dgram.Native" if udp else "net.Native"
            self.channel.say(fd=server.fileno(), kind=kind, errno=0, **common)
            return
        server.listen(64)
        if unix:
            self.channel.say(errno=None, **common)
            return
        address, port = server.getsockname()
        sockname = {"address": address, "family": "IPv4", "port": port}
        self.channel.say(errno=None, **common, sockname=sockname)

    def offer(self):
        """Offers a connection if the worker is free."""
        if self.waiting and not self.offers:
            key, connection = self.waiting.pop(0)
            number = self.channel.say(fd=connection.fileno(), act="newconn", key=key)
            self.offers[number] = (key, connection)

    def offered(self, message):
        """The worker has accepted or refused."""
        key, connection = self.offers.pop(message["ack"])
        if message.get("accepted") is True:
            connection.close()
        else:
            self.waiting.append((key, connection))

    def close(self, closed):
        """Closes a place at which no worker listens any more."""
        self.places.pop(closed).close()
        for key, connection in self.waiting:
            if key == closed:
                connection.close()
        self.waiting = [entry for entry in self.waiting if entry[0] != closed]

    def obey(self, value):
        """One message."""
        if not (isinstance(value, dict) and value.get("cmd") == NODE_CLUSTER):
            if value == "disconnect":
                self.channel.say(act="disconnect")
            else:
                self.channel.send({"echo": value})
        elif value.get("ack") in self.offers:
            self.offered(value)
        elif value.get("act") == "queryServer":
            self.answer(value)
        elif value.get("act") == "exitedAfterDisconnect":
            self.channel.say(ack=value["seq"])
        elif value.get("act") == "close" and value.get("key") in self.places:
            self.close(value["key"])

    def serve(self):
        """Runs until the worker has ended."""
        while not self.channel.over:
            servers = (
                {}
                if self.shared
                else {one: key for key, one in self.places.items() if one.type == socket.SOCK_STREAM}
            )
            ready, _, _ = select.select([self.channel, *servers], [], [])
            for server, key in servers.items():
                if server in ready:
                    connection = server.accept()[0]
                    connection.setblocking(False)
                    self.waiting.append((key, connection))
            if self.channel in ready:
                for value, _fd in self.channel.messages():
                    self.obey(value)
            self.offer()
        self.channel.end.close()
        os.waitpid(self.child, 0)


if __name__ == "__main__":
    (Worker() if sys.argv[1] == "worker" else Primary(sys.argv[2], sys.argv[3:])).serve()
