"""The least that a child can do with the blocking front end: one message."""

import nodechannel

with nodechannel.connect() as channel:
    channel.send("ready")
