"""The watcher of a lifeline: a small process that ends a tree of processes when their peer dies.

Run as a script by `nodechannel._start.lifeline`, under a Python without the site module. It does not import the package, so that it
starts in ten milliseconds, and it starts from a fresh interpreter, since forking a program with threads is not safe.

    watcher.py MARK PEER ROOT SIGN ROOT_FD

`MARK` stands in the environment of the processes of the tree. `PEER` is the process id of the peer, 0 if unknown. `SIGN` is a pidfd of the
peer, or the channel where the id is unknown; -1 if the peer is gone already. `ROOT_FD` is a pidfd of `ROOT`, the process that depends on
the peer.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

# Seconds between SIGTERM and SIGKILL. A program that turns SIGTERM into a clean end needs some; the tree is to end within a second.
GRACE = 0.4

# Seconds between two looks at the tree while its processes die, and until the watcher gives up on those that cannot be killed.
STEP = 0.02
LIMIT = 10.0

# Seconds that the death of the peer may show after the death of the root: a root that reads the channel can end first.
LAG = 0.25


def main(arguments: list[str]) -> None:
    """Watch until the peer or the root dies."""
    mark = arguments[0].encode()
    peer, root, sign, root_fd = map(int, arguments[1:])
    processes = Processes(above(root, peer), mark)
    _become_independent()
    if sign < 0 or _peer_died(sign, root_fd):
        end(processes)


def _become_independent() -> None:
    """Fork and leave: the process that started the watcher waits for its end, and must not keep it as a child."""
    if os.fork():
        os._exit(0)


def _peer_died(sign: int, root_fd: int) -> bool:
    """Wait until the peer or the root dies; return whether the peer did."""
    poll = select.poll()
    # A pidfd becomes readable. A channel reports its end, asked for or not, and its messages only when asked for.
    poll.register(sign, 0 if _is_socket(sign) else select.POLLIN)
    poll.register(root_fd, select.POLLIN)
    if any(fd == sign for fd, _ in poll.poll()):
        return True
    poll.unregister(root_fd)
    return bool(poll.poll(LAG * 1000))


def _is_socket(fd: int) -> bool:
    return os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")


def above(root: int, peer: int) -> list[int]:
    """Return the root and the wrappers between it and the peer, like a shell; the root alone if the peer is no ancestor."""
    found = [root]
    while (parent := _parent(found[-1])) > 1:
        if parent == peer:
            return found
        found.append(parent)
    return [root]


class Processes:
    """The processes of a tree that were seen at any time.

    Args:
        known: the first processes; their descendants belong to the tree.
        mark: a process with it in its environment belongs to the tree, although its parent may have died.
    """

    def __init__(self, known: list[int], mark: bytes) -> None:
        self._mark = mark
        # A pidfd for each process id.
        self._seen: dict[int, int] = {}
        for pid in known:
            self._add(pid)

    def alive(self) -> list[int]:
        """Look at the system; return pidfds of the processes that live, new descendants included."""
        parents = _parents()
        found = set(self._seen)
        found.update(pid for pid in parents if pid not in found and self._mark in _environment(pid))
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        for pid in found - self._seen.keys():
            self._add(pid)
        living = {pid: fd for pid, fd in self._seen.items() if not _ended(fd)}
        for pid in self._seen.keys() - living.keys():
            os.close(self._seen.pop(pid))
        return list(living.values())

    def _add(self, pid: int) -> None:
        if pid != os.getpid():
            try:
                self._seen[pid] = os.pidfd_open(pid)
            except OSError:  # it has ended
                return


def end(processes: Processes) -> None:
    """End a tree: SIGTERM, and SIGKILL for the processes that are left after `GRACE` seconds."""
    began = time.monotonic()
    asked: set[int] = set()
    while (living := processes.alive()) and (passed := time.monotonic() - began) < LIMIT:
        late = passed > GRACE
        for fd in living:
            if late or fd not in asked:
                _send(fd, signal.SIGKILL if late else signal.SIGTERM)
        asked.update(living)
        time.sleep(STEP)


def _send(fd: int, number: int) -> None:
    try:
        signal.pidfd_send_signal(fd, number)
    except OSError:  # it has ended, or belongs to another user
        return


def _ended(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def _parents() -> dict[int, int]:
    return {int(name): _parent(int(name)) for name in os.listdir("/proc") if name.isdigit()}


def _environment(pid: int) -> bytes:
    """Return the environment that a process was started with, empty if it is not to be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as environment:
            return environment.read()
    except OSError:
        return b""


def _parent(pid: int) -> int:
    """Return the id of the parent of a process, 0 if it has none or has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            # The name of the program stands in parentheses and may have any character.
            return int(stat.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


if __name__ == "__main__":
    main(sys.argv[1:])
