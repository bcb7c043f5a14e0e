"""A connection in the event loop: limits, pauses, and its end."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from nodechannel import errors, nodeipc
from nodechannel.nodeipc import asyncio as aio
from support.nodeipc import frame, wire


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "s")


def test_a_connection_that_ends_within_a_frame_tells_so(path):
    with nodeipc.serve(path=path, lifecycle=True) as server:
        with wire(path) as peer:
            peer.sendall(frame("a", 1) + b'{"type')
        found = [server.receive(timeout=20) for _ in range(4)]
        assert [event.type for event in found] == ["connect", "a", "error", "socket.disconnected"]
        assert isinstance(found[2].data, errors.TruncatedMessage)


def test_a_link_without_a_connection_ends_at_once(path):
    async def main() -> None:
        async with await aio.serve(path=path) as server:
            link = server._make_link()
            link.abort()
            link.read_on()
            await link.finish()

    asyncio.run(main())


@pytest.mark.rule("NIP-014")
def test_a_frame_beyond_the_limit_ends_its_connection_alone(path, caplog):
    with nodeipc.serve(path=path, max_frame=1000) as server, wire(path) as good, wire(path) as bad:
        bad.sendall(b"x" * 5000)
        assert bad.recv(1) == b""
        good.sendall(frame("good", 1))
        assert server.receive(timeout=20).data == 1
    assert "1000" in caplog.text


@pytest.mark.rule("NIP-022")
def test_a_flood_is_held_back_until_it_is_read(path):
    with nodeipc.serve(path=path) as server, wire(path) as peer:
        data = frame("flood", "x" * 1000)
        written = []

        def flood() -> None:
            for number in range(20_000):
                peer.sendall(data)
                written.append(number)

        thread = threading.Thread(target=flood, daemon=True)
        thread.start()
        seen = -1
        while len(written) != seen:
            seen = len(written)
            time.sleep(0.3)
        assert seen < 10_000
        for _ in range(20_000):
            assert server.receive(timeout=20).type == "flood"
        thread.join()
