"""The blocking front end: the conversation runs in a thread, methods run in others."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from nodechannel._dialects.background import Background
from nodechannel._rpc import peer as aio
from nodechannel._rpc.peer import Remote

Function = TypeVar("Function", bound=Callable[..., Any])


class Peer:
    """An end of a JSON-RPC conversation; see `nodechannel.rpc.asyncio.Peer`. May be used from several threads, and by its own methods.

    Messages of the remote side are taken once `start`, `request`, `notify` or `wait_closed` was called, so that the methods can be
    registered before.
    """

    def __init__(self, make: Coroutine[Any, Any, aio.Peer]) -> None:
        self._background = Background("nodechannel.rpc")
        try:
            self._peer = self._background.wait(make)
        except BaseException:
            self._background.close()
            raise
        self.remote: Remote = Remote(self.request)

    def method(
        self, name: str | None = None, *, threaded: bool | None = None
    ) -> Callable[[Function], Function]:
        """Let the remote side call a function; a decorator. Plain functions run in threads."""
        return self._peer.method(name, threaded=threaded)

    def request(
        self,
        method: str,
        params: Any = None,
        *,
        timeout: float | None = None,
        on_progress: Callable[[Any], object] | None = None,
    ) -> Any:
        """Call a method of the remote side and return its result; raises the errors of the asyncio `request`.

        `on_progress` is called in another thread.
        """
        return self._background.wait(
            self._peer.request(method, params, timeout=timeout, on_progress=on_progress)
        )

    def notify(self, method: str, params: Any = None) -> None:
        """Call a method of the remote side without an answer; raises `ChannelClosed` and `InvalidMessage`."""
        self._background.wait(self._peer.notify(method, params))

    def start(self) -> None:
        """Begin to take messages."""
        self._background.call(self._peer.start)

    def wait_closed(self) -> None:
        """Serve until the channel ends."""
        self._background.wait(self._peer.wait_closed())

    def close(self) -> None:
        """End the channel after all that was sent is written; requests under way are cancelled."""
        self._background.close(self._peer.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(**options: Any) -> Peer:
    """Adopt the channel that the parent opened for this process; see the asyncio `connect`."""
    return Peer(aio.connect(threaded=True, **options))


def fork(script: str | os.PathLike[str], *args: str | os.PathLike[str], **options: Any) -> Peer:
    """Start a Node script and talk to it; see `nodechannel.fork` for the options."""
    return Peer(aio.fork(script, *args, threaded=True, **options))


def spawn(argv: Sequence[str | os.PathLike[str]], **options: Any) -> Peer:
    """Start a command and talk to it; see `nodechannel.spawn` for the options."""
    return Peer(aio.spawn(argv, threaded=True, **options))
