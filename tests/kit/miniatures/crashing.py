"""A child that crashes at its first message."""

import os
import signal

os.read(int(os.environ["NODE_CHANNEL_FD"]), 1)
os.kill(os.getpid(), signal.SIGKILL)
