"""An echo child that takes each read for a message: right only while the writes are not cut."""

import os

fd = int(os.environ["NODE_CHANNEL_FD"])
while data := os.read(fd, 65536):
    os.write(fd, b'{"echo":' + data.strip() + b"}\n")
