"""Messages through Redis, for programs that use its streams, lists and channels. Needs the extra ``redis``.

    from nodechannel import redis

    with redis.stream("redis://localhost", "jobs") as jobs:
        for entry in jobs:
            print(entry.data)
            jobs.acknowledge(entry)

`stream` delivers each message to one consumer of a group, at least once, on any number of machines. `queue` does the same over a list.
`channels` reaches all programs that listen. This is the blocking front end; `nodechannel.redis.asyncio` has the same words as coroutines.
"""

from nodechannel import _facade
from nodechannel._redis.blocking import Channels, Queue, Stream, channels, queue, stream
from nodechannel._redis.channels import Published
from nodechannel._redis.entries import Entry
from nodechannel._redis.lists import ListOptions
from nodechannel._redis.server import RedisRefused
from nodechannel._redis.streams import StreamOptions

__all__ = [
    "Channels",
    "Entry",
    "ListOptions",
    "Published",
    "Queue",
    "RedisRefused",
    "Stream",
    "StreamOptions",
    "channels",
    "queue",
    "stream",
]

_facade.publish(__name__, {"asyncio": "nodechannel.redis.asyncio"})
