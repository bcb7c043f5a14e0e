"""The asyncio front end of NestJS's Redis transport: the words of `nodechannel.nest`, as coroutines."""

from nodechannel import _facade
from nodechannel._nest.client import Client, connect
from nodechannel._nest.server import Server
from nodechannel._nest.wire import NestError

__all__ = ["Client", "NestError", "Server", "connect"]

_facade.publish(__name__, {})
