"""The least that a child can do with the blocking front end: a single message."""

import nodechannel

with nodechannel.connect() as channel:
    channel.send("ready")
