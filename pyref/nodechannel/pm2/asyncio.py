"""The asyncio front end of a program under PM2: the words of `nodechannel.pm2`, as coroutines."""

from nodechannel import _facade
from nodechannel._pm2.aio import App, connect

__all__ = ["App", "connect"]

_facade.publish(__name__, {})
