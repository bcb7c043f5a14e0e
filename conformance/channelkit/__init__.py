"""The conformance kit: judges an end of a ``NODE_CHANNEL_FD`` channel by its behaviour on the wire.

The kit needs only the standard library and imports no implementation of the channel: it builds its own bytes.
``conformance/README.md`` describes the adapter contract and the format of the cases.
"""

__version__ = "0.2.0"

CONTRACT = 1
"""Version of the adapter contract that this kit speaks."""
