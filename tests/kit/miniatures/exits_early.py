"""A child that ends at its first message, with status 0."""

import os

os.read(int(os.environ["NODE_CHANNEL_FD"]), 65536)
