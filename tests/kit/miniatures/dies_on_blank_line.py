"""An echo child that is right but for a blank line, of which it dies as Node does."""

import json
import os

fd = int(os.environ["NODE_CHANNEL_FD"])
with os.fdopen(fd, "rb") as lines:
    for line in lines:
        json.loads(line)
        os.write(fd, b'{"echo":' + line.rstrip() + b"}\n")
