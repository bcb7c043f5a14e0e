"""Connects a driven adapter that somebody else starts with the runner: ``python -I -S relay.py SOCKET command…``.

The parent of a pair starts this as its child, because the parent's library gives the child no standard streams that the runner
could use. The unix socket SOCKET becomes stdin and stdout; everything else, the channel above all, stays as it was inherited.
"""

import _socket
import os
import sys


def main() -> None:
    """Connects and becomes the command."""
    runner = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    runner.connect(sys.argv[1])
    os.dup2(runner.fileno(), 0)
    os.dup2(runner.fileno(), 1)
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
