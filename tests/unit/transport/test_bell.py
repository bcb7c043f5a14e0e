"""A bell: it wakes a thread that waits for it and for other descriptors."""

from __future__ import annotations

import select
import socket
import threading

from nodechannel._transport.bell import Bell, wait_any


def is_rung(bell: Bell) -> bool:
    return bool(select.select([bell.fileno()], [], [], 0)[0])


def test_it_is_ready_from_the_ring_until_it_is_cleared():
    bell = Bell()
    assert not is_rung(bell)
    bell.ring()
    bell.ring()
    assert is_rung(bell)
    bell.clear()
    bell.clear()
    assert not is_rung(bell)
    bell.close()


def test_it_can_be_rung_as_often_as_one_likes():
    bell = Bell()
    for _ in range(100_000):
        bell.ring()
    assert is_rung(bell)
    bell.close()


def test_a_closed_bell_is_silent():
    bell = Bell()
    bell.close()
    bell.close()
    bell.ring()
    bell.clear()


def test_a_thread_that_waits_is_woken():
    bell = Bell()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        thread = threading.Thread(target=wait_any, args=((ours.fileno(), bell.fileno()), None), daemon=True)
        thread.start()
        bell.ring()
        thread.join(30)
        assert not thread.is_alive()
    bell.close()


def test_a_wait_ends_after_its_time():
    bell = Bell()
    wait_any((bell.fileno(),), 0.01)
    wait_any((bell.fileno(),), -1.0)
    assert not is_rung(bell)
    bell.close()
