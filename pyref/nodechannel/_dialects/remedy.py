"""The option of a package that opens a channel, in the error of a program that has none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nodechannel.errors import NoChannel

EXECA = "in Node, give execa the option `ipc: true`"
LANGUAGE_CLIENT = "in Node, give the client `transport: TransportKind.ipc`, or call `serve` with `stdio=True`"
PM2 = (
    "PM2 opens a channel in fork mode (`interpreter: 'python3'`); in cluster mode the script has to be the path of "
    "`nodechannel hop --print-path`"
)
RPC = "in Node, start this program by `fork`, or by `spawn` with 'ipc' in `stdio`"
POOLS = (
    "pools open a channel for processes only: workerpool with `workerType: 'process'`, jest-worker without `enableWorkerThreads`, "
    "tinypool with `runtime: 'child_process'`, BullMQ without `useWorkerThreads`"
)


@contextmanager
def remedy(text: str) -> Iterator[None]:
    """Add a remedy to the `NoChannel` of a block, unless the error knows more."""
    try:
        yield
    except NoChannel as error:
        if error.hint:
            raise
        raise NoChannel(text) from None
