"""SIGTERM and SIGINT as a clean end: the first signal ends the loops of the channels that asked for it, the second ends the process.

The handlers are those of the `signal` module, in both front ends: a front end only says how its own waiting call is woken.
"""

from __future__ import annotations

import signal

from nodechannel.errors import NotMainThread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Iterable
    from types import FrameType
    from typing import Any

    # Ends the loop of a channel; returns False if the channel has ended already. Called between two instructions of the main thread.
    Ending = Callable[[], bool]

SIGNALS = (signal.SIGTERM, signal.SIGINT)

# The channels that are to end, by the function that ends them; and the handlers that this module replaced, by signal.
_endings: dict[Ending, None] = {}
_previous: dict[int, Any] = {}


def require_main_thread() -> None:
    """Raise `NotMainThread` where no signal handler can be set."""
    import threading

    if threading.current_thread() is not threading.main_thread():
        raise NotMainThread


def add_handlers(loop: AbstractEventLoop, numbers: Iterable[int], call: Callable[[], object]) -> list[int]:
    """Have an event loop call a function at each of the signals; return those that it handles. On Windows it handles none."""
    added = []
    for number in numbers:
        try:
            loop.add_signal_handler(number, call)
        except NotImplementedError:
            break
        added.append(number)
    return added


def end_on_signal(ending: Ending) -> None:
    """Call a function at the first SIGTERM or SIGINT, until `forget` is called with it.

    A signal that the process ignores stays ignored, as under `nohup`. Raises `NotMainThread`.
    """
    if not _previous:
        _install()
    _endings[ending] = None


def forget(ending: Ending) -> None:
    """Forget the function; with the last function, the previous handlers are restored. Safe to call again.

    Outside of the main thread the handlers stay; at the next signal they restore the previous handlers and repeat the signal.
    """
    _endings.pop(ending, None)
    if not _endings and _previous:
        _restore()


def _install() -> None:
    for number in SIGNALS:
        previous = signal.getsignal(number)
        if previous is signal.SIG_IGN:
            continue
        try:
            signal.signal(number, _handle)
        except ValueError:  # this is not the main thread of the main interpreter
            raise NotMainThread from None
        _previous[number] = signal.SIG_DFL if previous is None else previous


def _restore() -> None:
    try:
        while _previous:
            number, previous = next(iter(_previous.items()))
            # A handler that the program set meanwhile is the program's wish, and stays.
            if signal.getsignal(number) in (_handle, signal.SIG_DFL):
                signal.signal(number, previous)
            del _previous[number]
    except ValueError:  # not the main thread
        return


def _handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the signature of a handler)
    ended = [ending() for ending in list(_endings)]
    if any(ended):
        for again in _previous:
            signal.signal(again, signal.SIG_DFL)
        return
    # Every channel has ended, in another thread or with its event loop: the signal is for the handler of before.
    _endings.clear()
    _restore()
    signal.raise_signal(number)
