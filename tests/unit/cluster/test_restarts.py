"""When a dead worker is replaced."""

from __future__ import annotations

from nodechannel._cluster.restarts import (
    HEALTHY_AGE,
    MAX_FAILED_STARTS,
    MAX_RESTART_DELAY,
    RESTART_DELAY,
    Restarts,
    next_delay,
)


def test_the_delay_doubles_up_to_its_limit():
    restarts = Restarts()
    delays = [restarts.died(0, 0.1, listened=True) for _ in range(2000)]
    assert delays[:4] == [RESTART_DELAY * 2**turn for turn in range(4)]
    assert delays[-1] == MAX_RESTART_DELAY


def test_each_slot_has_its_own_count():
    restarts = Restarts()
    restarts.died(0, 0.1, listened=True)
    assert restarts.died(1, 0.1, listened=True) == RESTART_DELAY


def test_a_healthy_life_resets_the_count():
    restarts = Restarts()
    for _ in range(3):
        restarts.died(0, 0.1, listened=True)
    assert restarts.died(0, HEALTHY_AGE + 1, listened=True) == 0.0
    assert restarts.died(0, 0.1, listened=True) == RESTART_DELAY


def test_a_worker_that_does_not_listen_is_given_more_time():
    assert Restarts().died(0, HEALTHY_AGE + 1, listened=False) == RESTART_DELAY


def test_hopeless_after_so_many_failed_starts_unless_a_worker_ever_listened():
    restarts = Restarts()
    for turn in range(MAX_FAILED_STARTS):
        assert not restarts.hopeless
        restarts.died(turn % 2, 0.1, listened=False)
    assert restarts.hopeless
    restarts.ever_listened = True
    assert not restarts.hopeless


def test_attempts_to_start_a_process_get_rarer():
    assert next_delay(0.0) == RESTART_DELAY
    assert next_delay(1.0) == 2.0
    assert next_delay(MAX_RESTART_DELAY) == MAX_RESTART_DELAY
