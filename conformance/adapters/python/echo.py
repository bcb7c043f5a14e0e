"""Rung 0: answers {"echo": m} to each message m, ignores internal messages, ends with the channel."""

import contextlib
import json
import os
import socket
import sys

sys.setrecursionlimit(20_000)  # a message may be nested deeply
channel = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))
with contextlib.suppress(ConnectionError):  # a reset is an end, too
    for line in channel.makefile("rb"):
        try:
            message = json.loads(line.decode("utf-8", "replace"))
            answer = json.dumps({"echo": message}, allow_nan=False).encode() + b"\n"
        except (ValueError, RecursionError) as error:
            print("bad line:", error, file=sys.stderr)
            continue
        command = message.get("cmd") if isinstance(message, dict) else None
        internal = isinstance(command, str) and command.startswith("NODE_") and command != "NODE_"
        if line.endswith(b"\n") and not internal:  # half a line at the end is no message
            channel.sendall(answer)
