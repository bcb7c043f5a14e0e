"""An echo child that is right."""

import json
import os

fd = int(os.environ["NODE_CHANNEL_FD"])
with os.fdopen(fd, "rb") as lines:
    for line in lines:
        message = json.loads(line)
        command = message.get("cmd") if isinstance(message, dict) else None
        if isinstance(command, str) and command.startswith("NODE_") and len(command) > len("NODE_"):
            continue
        os.write(fd, json.dumps({"echo": message}).encode() + b"\n")
