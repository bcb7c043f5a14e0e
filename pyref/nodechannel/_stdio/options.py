"""The options of a child over standard streams, for type checkers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypedDict

from nodechannel._core.options import ChannelOptions
from nodechannel._start.options import Stdio, StrPath
from nodechannel.errors import InvalidHandle


class StartOptions(TypedDict, total=False):
    """Options of a process, which mean what they mean for `subprocess.Popen`.

    Attributes:
        env: the child's environment, this process's own if not given, without the variables of a channel.
        stderr: inherited if not given. A program that gives `subprocess.PIPE` reads it, or the child stops when the pipe is full.
        pass_fds: descriptors to be inherited.
        cwd: the child's working directory.
        executable: the program to run, if not the first word of the command.
        start_new_session, process_group: whether the child leads a session, and which process group it joins.
        close_fds, restore_signals, umask, preexec_fn: acts of the child before it becomes the program.
        user, group, extra_groups: as whom it runs.
    """

    env: Mapping[str, str] | None
    stderr: Stdio
    pass_fds: Collection[int]
    cwd: StrPath | None
    executable: StrPath | None
    start_new_session: bool
    process_group: int | None
    close_fds: bool
    restore_signals: bool
    umask: int
    preexec_fn: Callable[[], Any] | None
    user: str | int | None
    group: str | int | None
    extra_groups: Iterable[str | int] | None


class SpawnOptions(ChannelOptions, StartOptions, total=False):
    """Options of `spawn` and `fork`: those of a channel, and those of a process."""


def split(options: SpawnOptions) -> tuple[ChannelOptions, StartOptions]:
    """Return the options of the channel, and those of the process."""
    channel = {name: value for name, value in options.items() if name in ChannelOptions.__annotations__}
    process = {name: value for name, value in options.items() if name not in channel}
    return channel, process  # type: ignore[return-value]


def refuse_handle(handle: object) -> None:
    """Refuse to send a socket; raises `InvalidHandle`."""
    # [STD-043]
    if handle is not None:
        raise InvalidHandle(
            "standard streams carry no sockets; start the child by nodechannel.fork or nodechannel.spawn instead"
        )
