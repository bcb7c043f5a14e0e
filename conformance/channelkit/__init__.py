"""The conformance kit: judges one end of a ``NODE_CHANNEL_FD`` channel by what is seen on the wire.

The kit needs nothing but the standard library and imports no implementation of the channel: it builds its own
bytes. See ``conformance/README.md`` for the adapter contract and the format of the cases.
"""

__version__ = "0.1.0"

CONTRACT = 1
"""Version of the adapter contract that this kit speaks."""
