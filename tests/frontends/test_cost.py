"""Costs grow with the size of a message, not with its square. Ratios of processor time, the medians of several rounds."""

from __future__ import annotations

import socket
import threading
import time

from support.cost import LIMIT
from support.cost import ratio as cost_ratio
from support.frontends import begin

SIZES = (32 << 20, 64 << 20)
ROUNDS = 20  # the first good round ends the test


def cost(action) -> float:
    begin = time.process_time()
    action()
    return time.process_time() - begin


def ratio(measure) -> float:
    small, large = SIZES
    return cost_ratio(lambda: measure(small), lambda: measure(large), ROUNDS)


def test_receiving_is_linear(channel, peer):
    def measure(size: int) -> float:
        frame = b'"' + b"x" * size + b'"\n'
        writer = threading.Thread(target=peer.sendall, args=(frame,))

        def receive() -> None:
            writer.start()
            assert len(channel.receive(timeout=50).data) == size
            writer.join()

        return cost(receive)

    assert ratio(measure) <= LIMIT


def test_sending_is_linear(channel, peer):
    def drain(size: int) -> None:
        buffer = bytearray(1 << 20)
        while size:
            size -= peer.recv_into(buffer)

    def measure(size: int) -> float:
        text = "x" * size
        reader = threading.Thread(target=drain, args=(size + 3,))

        def send() -> None:
            reader.start()
            channel.send(text)
            channel.flush()
            reader.join()

        return cost(send)

    assert ratio(measure) <= LIMIT


def test_many_small_messages_in_one_read_are_linear(channel, peer):
    def measure(size: int) -> float:
        count = size >> 14
        writer = threading.Thread(target=peer.sendall, args=(b"1\n" * count,))

        def receive() -> None:
            writer.start()
            for _ in range(count):
                channel.receive(timeout=50)
            writer.join()

        return cost(receive)

    assert ratio(measure) <= LIMIT


def test_a_handle_holds_back_many_messages_at_linear_cost(api):
    def measure(size: int) -> float:
        ours, theirs = socket.socketpair()
        with theirs, socket.create_server(("127.0.0.1", 0)) as server:
            channel = api.channel(ours)
            begin(channel, "h", handle=server)

            def hold() -> None:
                for _ in range(size >> 16):
                    # Straight to the core: the blocking `send` would wait for the acknowledgement.
                    channel._connection.send(1)

            try:
                return cost(hold)
            finally:
                channel.close()

    assert ratio(measure) <= LIMIT
