"""An echo child that attaches a descriptor to each answer."""

import os
import socket

channel = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))
with channel, channel.makefile("rb") as lines, open(os.devnull, "rb") as null:  # noqa: PTH123
    for line in lines:
        socket.send_fds(channel, [b'{"echo":' + line.rstrip() + b"}\n"], [null.fileno()])
