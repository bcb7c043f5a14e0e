"""Connects the runner with a driven adapter that the parent of a pair starts: ``python -I -S relay.py SOCKET direct|wire command…``.

The parent of a pair starts this program as its child. The parent's library gives the child no standard streams that the runner
could use, so the unix socket SOCKET becomes stdin and stdout. All further descriptors stay. With ``wire`` the runner takes the
channel and puts a socket of its own in its place. The socket has the same number and the same mode. The process, its environment
and its end are still the work of the parent.
"""

import _socket
import os
import sys


def _exchange(runner: _socket.socket, channel: int) -> None:
    """Puts a socket of the runner in the place of the channel."""
    blocking = os.get_blocking(channel)  # the runner changes the mode of the end that it gets
    runner.sendmsg([b"c"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, channel.to_bytes(4, sys.byteorder))])
    _data, ancillary, _flags, _address = runner.recvmsg(1, _socket.CMSG_SPACE(4))
    other = int.from_bytes(ancillary[0][2], sys.byteorder)
    os.set_blocking(other, blocking)
    os.dup2(other, channel)
    os.close(other)


def main() -> None:
    """Connects and becomes the command."""
    runner = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    runner.connect(sys.argv[1])
    if sys.argv[2] == "wire":
        _exchange(runner, int(os.environ["NODE_CHANNEL_FD"]))
    os.dup2(runner.fileno(), 0)
    os.dup2(runner.fileno(), 1)
    os.execvp(sys.argv[3], sys.argv[3:])


if __name__ == "__main__":
    main()
