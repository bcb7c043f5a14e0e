"""An echo child that reads and never answers."""

import os

with os.fdopen(int(os.environ["NODE_CHANNEL_FD"]), "rb") as lines:
    for _line in lines:
        pass
