"""The queues of npm `rsmq`, which a program of that package cannot tell from its own. Needs the extra ``redis``.

    from nodechannel import rsmq

    with rsmq.queue("redis://localhost", "mails") as mails:
        for message in mails:
            print(message.message)
            mails.delete(message.id)

This is the blocking front end; `nodechannel.rsmq.asyncio` has the same words as coroutines.
"""

from nodechannel import _facade
from nodechannel._rsmq.blocking import Queue, list_queues, queue
from nodechannel._rsmq.queue import Attributes, Message
from nodechannel._rsmq.rules import QueueError

__all__ = ["Attributes", "Message", "Queue", "QueueError", "list_queues", "queue"]

_facade.publish(__name__, {"asyncio": "nodechannel.rsmq.asyncio"})
