"""The reference's codec as a filter, rung C of conformance/README.md: ``codec.py decode`` and ``codec.py encode``."""

from __future__ import annotations

import os
import sys

from mode import MODE, from_contract, to_contract

from control import put
from nodechannel._core.messages import is_internal
from nodechannel._json.codec import decode
from nodechannel._start.serialization import resolve
from nodechannel.errors import ChannelError

SERIALIZATION = resolve({"serialization": MODE})
ACCEPTED, REJECTED, UNSUPPORTED = 0, 1, 3


def run_decode() -> None:
    """Bytes in, events out."""
    framer = SERIALIZATION.framer(None)
    while data := os.read(0, 65536):
        for frame in framer.feed(data):
            message = SERIALIZATION.decode(frame)
            put({"event": "internal" if is_internal(message) else "message", "message": to_contract(message)})
        if framer.error is not None:
            raise framer.error


def run_encode() -> None:
    """Messages in, a message a line; bytes out."""
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(SERIALIZATION.frame(from_contract(decode(line))))
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
