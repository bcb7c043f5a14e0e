"""An echo child of another serialization: four bytes of length, then JSON. With `naive` it takes a read for a message."""

import json
import os
import struct
import sys

channel = int(os.environ["NODE_CHANNEL_FD"])
naive = "naive" in sys.argv
assert os.environ["NODE_CHANNEL_SERIALIZATION_MODE"] == "length-prefixed"
buffer = b""
while data := os.read(channel, 65536):
    buffer += data
    while len(buffer) >= 4:
        (size,) = struct.unpack_from(">I", buffer)
        if len(buffer) < 4 + size:
            if naive:
                sys.exit("half a message")
            break
        message, buffer = json.loads(buffer[4 : 4 + size]), buffer[4 + size :]
        if not (isinstance(message, dict) and str(message.get("cmd")).startswith("NODE_")):
            answer = json.dumps({"echo": message}).encode()
            os.write(channel, struct.pack(">I", len(answer)) + answer)
