"""A child of the channel that answers each message, for tests of programs that start such children."""

from __future__ import annotations

import sys

# Answers each message but two: it dies of `die`, and hangs at `hang`.
COMMAND = [
    sys.executable,
    "-c",
    """
import os, time
import nodechannel
with nodechannel.connect() as channel:
    for message in channel:
        if message.data == "die":
            os._exit(1)
        if message.data == "hang":
            time.sleep(60)
        channel.send([message.data, os.getpid()])
""",
]
