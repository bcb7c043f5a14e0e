"""Rung 0: answers {"echo": m} to each message m, ignores internal messages, ends with the channel."""

import json
import os

fd = int(os.environ["NODE_CHANNEL_FD"])
buffer = bytearray()
while data := os.read(fd, 65536):
    buffer += data
    *lines, rest = buffer.split(b"\n")
    buffer = rest
    for line in lines:
        message = json.loads(line)
        command = message.get("cmd") if isinstance(message, dict) else None
        if isinstance(command, str) and command.startswith("NODE_") and command != "NODE_":
            continue
        answer = memoryview(json.dumps({"echo": message}).encode() + b"\n")
        while answer:
            answer = answer[os.write(fd, answer) :]
