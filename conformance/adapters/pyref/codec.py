"""The reference's codec as a filter, rung C of conformance/README.md: ``codec.py decode`` and ``codec.py encode``."""

from __future__ import annotations

import os
import sys

from advanced import ADVANCED, lift, lower

from control import put, tag, untag
from nodechannel._advanced import decode as frames
from nodechannel._advanced.encode import encode as encode_frame
from nodechannel._advanced.framing import FrameFramer
from nodechannel._core.messages import is_internal
from nodechannel._json.codec import decode, encode
from nodechannel._json.framing import LineFramer
from nodechannel.errors import ChannelError

ACCEPTED, REJECTED, UNSUPPORTED = 0, 1, 3


def run_decode() -> None:
    """Bytes in, events out."""
    framer: FrameFramer | LineFramer = FrameFramer() if ADVANCED else LineFramer()
    read, show = (frames.decode, lower) if ADVANCED else (decode, tag)
    while data := os.read(0, 65536):
        for frame in framer.feed(data):
            message = read(frame)
            put({"event": "internal" if is_internal(message) else "message", "message": show(message)})
        if framer.error is not None:
            raise framer.error


def run_encode() -> None:
    """Messages in, a message a line; bytes out."""
    for line in sys.stdin.buffer:
        message = decode(line)
        sys.stdout.buffer.write(encode_frame(lift(message)) if ADVANCED else encode(untag(message)))
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
