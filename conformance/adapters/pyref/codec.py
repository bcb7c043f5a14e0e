"""The reference's codec as a filter, rung C of conformance/README.md: ``codec.py decode`` and ``codec.py encode``."""

from __future__ import annotations

import os
import sys

from control import put, tag, untag
from nodechannel._core.messages import is_internal
from nodechannel._json.codec import decode, encode
from nodechannel._json.framing import LineFramer
from nodechannel.errors import ChannelError

ACCEPTED, REJECTED, UNSUPPORTED = 0, 1, 3


def run_decode() -> None:
    """Bytes in, events out."""
    framer = LineFramer()
    while data := os.read(0, 65536):
        for line in framer.feed(data):
            message = decode(line)
            put({"event": "internal" if is_internal(message) else "message", "message": tag(message)})


def run_encode() -> None:
    """Messages in, a line each, bytes out."""
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(encode(untag(decode(line))))
        sys.stdout.buffer.flush()


def main() -> int:
    """Runs a direction of the codec."""
    run = {"decode": run_decode, "encode": run_encode}.get(sys.argv[1])
    if run is None:
        return UNSUPPORTED
    try:
        run()
    except ChannelError as error:
        print(error, file=sys.stderr)
        return REJECTED
    return ACCEPTED


if __name__ == "__main__":
    sys.exit(main())
