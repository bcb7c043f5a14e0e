"""The options of a child process, for type checkers: to import `typing` takes as long as importing this package."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import IO, Any, TypeAlias

from nodechannel._core.options import OpenOptions

StrPath: TypeAlias = str | os.PathLike[str]
Stdio: TypeAlias = int | IO[Any] | None


class SpawnOptions(OpenOptions, total=False):
    """Options of `spawn` and `fork` in both front ends: those of a channel, and those of a process.

    `env`, `pass_fds` and all that follow are passed on to `subprocess.Popen` and mean what they mean there. The asyncio front end raises
    `ValueError` for a stream of text (`encoding`, `errors`, `text`, `universal_newlines`), for `shell`, and for a `bufsize` other
    than 0.

    Attributes:
        lifeline: end the child and its descendants when this process dies, even by SIGKILL; Linux only.
        end_on_signal: let SIGTERM and SIGINT end the loop over the messages, as for `connect`.
        env: the child's environment, this process's own if not given; the variables of the channel are added.
        pass_fds: descriptors to be inherited beside that of the channel.
        stdin, stdout, stderr: inherited if not given.
        cwd: the child's working directory.
        bufsize, encoding, errors, text, universal_newlines, pipesize: how the streams of the child are read and written here.
        executable, shell: the program to run, if not the first word of the command.
        start_new_session, process_group: whether the child leads a session, and which process group it joins.
        close_fds, restore_signals, umask, preexec_fn: acts of the child before it becomes the program.
        user, group, extra_groups: as whom it runs.
    """

    lifeline: bool
    end_on_signal: bool
    env: Mapping[str, str] | None
    pass_fds: Collection[int]
    stdin: Stdio
    stdout: Stdio
    stderr: Stdio
    cwd: StrPath | None
    bufsize: int
    encoding: str | None
    errors: str | None
    text: bool | None
    universal_newlines: bool | None
    pipesize: int
    executable: StrPath | None
    shell: bool
    start_new_session: bool
    process_group: int | None
    close_fds: bool
    restore_signals: bool
    umask: int
    preexec_fn: Callable[[], Any] | None
    user: str | int | None
    group: str | int | None
    extra_groups: Iterable[str | int] | None
