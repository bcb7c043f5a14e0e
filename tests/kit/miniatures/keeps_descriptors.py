"""An echo child that keeps every received descriptor and never uses it."""

import os
import socket

channel = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))
unfinished = b""
while True:
    data, _kept, _flags, _address = socket.recv_fds(channel, 65536, 8)
    if not data:
        break
    *lines, unfinished = (unfinished + data).split(b"\n")
    for line in lines:
        channel.sendall(b'{"echo":' + line + b"}\n")
