"""An echo child that does not end with the channel, and leaves a child of its own behind."""

import os
import subprocess
import time

fd = int(os.environ["NODE_CHANNEL_FD"])
subprocess.Popen(["sleep", "600"], close_fds=True)
with os.fdopen(fd, "rb") as lines:
    for line in lines:
        os.write(fd, b'{"echo":' + line.rstrip() + b"}\n")
    time.sleep(600)
