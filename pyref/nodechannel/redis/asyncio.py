"""The asyncio front end of Redis: the words of `nodechannel.redis`, as coroutines."""

from nodechannel import _facade
from nodechannel._redis.channels import Channels, Published, channels
from nodechannel._redis.entries import Entry
from nodechannel._redis.lists import Queue, queue
from nodechannel._redis.streams import Stream, stream

__all__ = ["Channels", "Entry", "Published", "Queue", "Stream", "channels", "queue", "stream"]

_facade.publish(__name__, {})
