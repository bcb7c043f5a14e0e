"""Rung 0: answers {"echo": m} to each message m, ignores internal messages, ends with the channel."""

import json
import os
import sys


def refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def answer(line: bytes) -> bytes:
    """The echo of one line; nothing for an internal message, and for what JSON cannot say."""
    try:
        message = json.loads(line.decode("utf-8", "replace"), parse_constant=refuse)
        command = message.get("cmd") if isinstance(message, dict) else None
        if isinstance(command, str) and command.startswith("NODE_") and command != "NODE_":
            return b""
        return json.dumps({"echo": message}, allow_nan=False).encode() + b"\n"
    except (ValueError, RecursionError) as error:
        print("bad line:", error, file=sys.stderr)
        return b""


fd = int(os.environ["NODE_CHANNEL_FD"])
buffer = bytearray()
while data := os.read(fd, 65536):
    buffer += data
    *lines, rest = buffer.split(b"\n")
    buffer = rest
    for line in lines:
        view = memoryview(answer(line))
        while view:
            view = view[os.write(fd, view) :]
