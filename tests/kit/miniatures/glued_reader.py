"""An echo child that takes each read for one message: right only as long as the writes are not cut."""

import os

fd = int(os.environ["NODE_CHANNEL_FD"])
while data := os.read(fd, 65536):
    os.write(fd, b'{"echo":' + data.strip() + b"}\n")
