"""The worker of conformance/README.md: `nodechannel.cluster`, with a thread for each server and each connection."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nodechannel import cluster
from nodechannel.errors import ChannelClosed, ListenFailed

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable


# How often, in seconds, this program looks whether it may end.
STEP = 0.01


def start(function: Callable[..., None], *arguments: object) -> threading.Thread:
    """Run a function in a thread."""
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    return thread


def echo(connection: socket.socket) -> None:
    """Echo the bytes of a connection."""
    with connection, suppress(OSError):
        while data := connection.recv(65536):
            connection.sendall(data)


class Program:
    """The worker and its servers."""

    def __init__(self, worker: cluster.Worker) -> None:
        self.worker = worker
        self.servers: list[cluster.Server] = []
        self.busy: list[threading.Thread] = []
        self.asking: list[threading.Thread] = []

    def listen(self, port: int) -> None:
        """Listen, or report the error."""
        try:
            server = self.worker.listen(port, "127.0.0.1")
        except ListenFailed as error:
            self.worker.send({"failed": error.name})
        except ChannelClosed:
            return
        else:
            self.servers.append(server)
            self.busy.append(start(self.serve, server))

    def serve(self, server: cluster.Server) -> None:
        """Take connections until none comes any more."""
        for connection in server:
            self.busy.append(start(echo, connection))

    def close(self, number: int) -> None:
        """Close a server, which may still be starting."""
        for thread in self.asking:
            thread.join()
        self.servers.pop(number).close()

    def end_when_dismissed(self) -> None:
        """Disconnect when the primary has asked for it and every connection has ended."""
        while self.worker.connected:
            time.sleep(STEP)
            if self.worker.dismissed and not any(thread.is_alive() for thread in self.busy):
                self.worker.disconnect()

    def obey(self, message: Any) -> None:
        """Act on a message."""
        if message == "leave":
            start(self.worker.disconnect)
        elif message == "close":
            self.close(-1)
        elif isinstance(message, dict) and "close" in message:
            self.close(message["close"])
        elif isinstance(message, dict) and "listen" in message:
            self.asking.append(start(self.listen, message["listen"]))
        else:
            self.worker.send({"echo": message})


def main() -> None:
    """Serve until the channel ends."""
    program = Program(cluster.connect(unsafe_integers=True))
    start(program.end_when_dismissed)
    start(program.listen, 0)
    for message in program.worker:
        program.obey(message.data)


main()
