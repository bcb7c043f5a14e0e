"""The worker that gets the next connection."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from nodechannel._cluster.roundrobin import FIRST_REST, MAX_REST, RoundRobin
from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import ChannelClosed


class Clock:
    """Calls later when it is told to."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def later(self, delay, function):
        self.calls.append((delay, function))

    def pass_by(self):
        calls, self.calls = self.calls, []
        for _, function in calls:
            function()
        return [delay for delay, _ in calls]


class Worker:
    """Keeps its offers until the test answers them."""

    def __init__(self):
        self.offers = []
        self.total = 0
        self.error = None

    def offer(self, key, connection, answered):
        if self.error is not None:
            raise self.error
        self.total += 1
        self.offers.append((connection, answered))

    def answer(self, accepted):
        self.offers.pop(0)[1](accepted)

    @property
    def holds(self):
        return [connection for connection, _ in self.offers]


def a_connection():
    read, write = os.pipe()
    os.close(write)
    return OwnedFd(read)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def scheduler(clock):
    scheduler = RoundRobin("k", clock.later)
    yield scheduler
    scheduler.close()


@pytest.fixture
def workers(scheduler):
    workers = [Worker(), Worker()]
    for worker in workers:
        scheduler.join(worker)
    yield workers
    for worker in workers:
        while worker.offers:
            worker.answer(True)


def test_one_after_the_other_in_turn(scheduler, workers):
    for turn in range(1, 4):
        for worker in workers:
            connection = a_connection()
            scheduler.arrived(connection)
            assert worker.holds == [connection]
            worker.answer(True)
            assert connection.closed
            assert worker.total == turn


def test_a_worker_has_one_offer_at_a_time(scheduler, workers):
    connections = [a_connection() for _ in range(3)]
    for connection in connections:
        scheduler.arrived(connection)
    assert [worker.holds for worker in workers] == [[connections[0]], [connections[1]]]
    assert (scheduler.waiting, scheduler.unanswered) == (1, 2)
    workers[1].answer(True)
    assert workers[1].holds == [connections[2]]


def test_what_one_refuses_the_next_one_gets(scheduler, workers):
    connection = a_connection()
    scheduler.arrived(connection)
    workers[0].answer(False)
    assert workers[1].holds == [connection]
    assert not connection.closed


def test_who_refuses_rests_longer_each_time_until_it_accepts(scheduler, clock):
    worker = Worker()
    scheduler.join(worker)
    scheduler.arrived(a_connection())
    rests = []
    for _ in range(9):
        worker.answer(False)
        assert worker.holds == []
        rests += clock.pass_by()
    assert rests == [min(FIRST_REST * 2**turn, MAX_REST) for turn in range(9)]
    worker.answer(True)
    scheduler.arrived(a_connection())
    worker.answer(False)
    assert clock.pass_by() == [FIRST_REST]
    worker.answer(True)


def test_a_connection_waits_for_a_worker(scheduler):
    connection = a_connection()
    scheduler.arrived(connection)
    worker = Worker()
    scheduler.join(worker)
    assert worker.holds == [connection]
    worker.answer(True)


def test_who_left_gets_nothing_but_answers_what_it_has(scheduler, workers):
    first, second = a_connection(), a_connection()
    scheduler.arrived(first)
    scheduler.leave(workers[0])
    workers[0].answer(False)
    assert workers[1].holds == [first]
    workers[1].answer(True)
    scheduler.arrived(second)
    assert workers[1].holds == [second]
    assert workers[0].total == 1


def test_who_comes_back_gets_nothing_before_it_answered(scheduler, workers):
    scheduler.arrived(a_connection())
    scheduler.leave(workers[0])
    scheduler.leave(workers[1])
    scheduler.join(workers[0])
    scheduler.arrived(a_connection())
    assert len(workers[0].holds) == 1
    workers[0].answer(True)
    assert len(workers[0].holds) == 1


@pytest.mark.parametrize("error", [ChannelClosed("send"), OSError(errno.EMFILE, "full")])
def test_an_offer_that_cannot_be_made_goes_to_the_next_one(scheduler, workers, error):
    workers[0].error = error
    connection = a_connection()
    scheduler.arrived(connection)
    assert workers[1].holds == [connection]


def test_without_descriptors_it_is_tried_again(scheduler, clock):
    worker = Worker()
    worker.error = OSError(errno.EMFILE, "full")
    scheduler.join(worker)
    connection = a_connection()
    scheduler.arrived(connection)
    assert scheduler.waiting == 1
    worker.error = None
    clock.pass_by()
    assert worker.holds == [connection]
    worker.answer(True)


def test_closed_it_keeps_nothing_but_what_may_be_accepted(scheduler, clock):
    worker = Worker()
    scheduler.join(worker)
    connections = [a_connection() for _ in range(3)]
    for connection in connections:
        scheduler.arrived(connection)
    scheduler.close()
    assert [connection.closed for connection in connections] == [False, True, True]
    worker.answer(False)
    assert connections[0].closed
    assert clock.pass_by() == []
