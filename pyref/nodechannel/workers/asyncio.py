"""Pools over Node's workers with coroutines: `Pool` has the words of `nodechannel.workers.Pool`."""

from nodechannel import _facade
from nodechannel._workers.pool import AsyncPool as Pool

__all__ = ["Pool"]

_facade.publish(__name__, {})
