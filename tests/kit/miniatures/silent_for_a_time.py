"""An echo child. From one of its processes to another it does not answer; a file has a line for each process."""

import json
import os
import sys

processes, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(processes, "a+", encoding="utf-8") as file:  # noqa: PTH123 (a miniature needs no library)
    file.write("process\n")
    file.seek(0)
    number = len(file.readlines())
fd = int(os.environ["NODE_CHANNEL_FD"])
with os.fdopen(fd, "rb") as lines:
    for line in lines:
        if not first <= number <= last:
            os.write(fd, json.dumps({"echo": json.loads(line)}).encode() + b"\n")
