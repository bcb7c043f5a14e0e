"""An echo child with wrong answers."""

import json
import os

fd = int(os.environ["NODE_CHANNEL_FD"])
with os.fdopen(fd, "rb") as lines:
    for line in lines:
        os.write(fd, json.dumps({"echo": [json.loads(line)]}).encode() + b"\n")
