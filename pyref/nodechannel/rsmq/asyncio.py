"""The asyncio front end of `rsmq`: the words of `nodechannel.rsmq`, as coroutines."""

from nodechannel import _facade
from nodechannel._rsmq.queue import Attributes, Message, Queue, list_queues, queue
from nodechannel._rsmq.rules import QueueError

__all__ = ["Attributes", "Message", "Queue", "QueueError", "list_queues", "queue"]

_facade.publish(__name__, {})
