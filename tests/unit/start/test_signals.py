"""The first signal ends loops, the second ends the process: real signals to this process."""

from __future__ import annotations

import asyncio
import signal
import threading

import pytest

from nodechannel._start import signals
from nodechannel.errors import NotMainThread


@pytest.fixture(autouse=True)
def heard():
    """Handlers of the program itself, which are there before."""
    heard: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: heard.append(number))
        for number in signals.SIGNALS
    }
    yield heard
    for number, handler in before.items():
        signal.signal(number, handler)
    assert not signals._previous
    assert not signals._endings


def test_a_signal_ends_each_loop_that_asked_for_it(heard):
    ended: list[int] = []

    def one() -> bool:
        ended.append(1)
        return True

    def two() -> bool:
        ended.append(2)
        return True

    for ending in (one, two):
        signals.end_on_signal(ending)
    signal.raise_signal(signal.SIGTERM)
    assert (ended, heard) == ([1, 2], [])
    assert [signal.getsignal(number) for number in signals.SIGNALS] == [signal.SIG_DFL, signal.SIG_DFL]
    signals.forget(one)
    signals.forget(two)
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]


def test_if_every_loop_has_ended_the_handler_of_before_gets_the_signal(heard):
    signals.end_on_signal(bool)
    signal.raise_signal(signal.SIGINT)
    assert heard == [signal.SIGINT]


def test_a_handler_that_the_program_set_meanwhile_stays(heard):
    later: list[int] = []
    signals.end_on_signal(bool)
    signal.signal(signal.SIGTERM, lambda number, _frame: later.append(number))
    signals.forget(bool)
    signals.forget(bool)
    signal.raise_signal(signal.SIGTERM)
    assert (later, heard) == ([signal.SIGTERM], [])


def test_an_ignored_signal_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as under `nohup`
    signals.end_on_signal(bool)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signals.forget(bool)


def test_another_thread_can_set_no_handler():
    errors: list[BaseException] = []

    def work() -> None:
        for ask in (signals.require_main_thread, lambda: signals.end_on_signal(bool)):
            try:
                ask()
            except NotMainThread as error:
                errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(errors) == 2
    signals.require_main_thread()


def test_an_event_loop_handles_signals_where_it_can():
    called: list[bool] = []

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        added = signals.add_handlers(loop, signals.SIGNALS, lambda: called.append(True))
        signal.raise_signal(signal.SIGTERM)
        while not called:
            await asyncio.sleep(0.001)
        assert [loop.remove_signal_handler(number) for number in added] == [True, True]
        return added

    assert asyncio.run(main()) == list(signals.SIGNALS)


def test_an_event_loop_without_signals_handles_none():
    loop = asyncio.BaseEventLoop()  # has the method that the loops of Windows inherit
    assert signals.add_handlers(loop, signals.SIGNALS, print) == []
    loop.close()
