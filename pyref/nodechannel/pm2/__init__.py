"""A Python program under PM2: ready, shutdown, metrics, actions, events, exceptions and topics.

    from nodechannel import pm2

    with pm2.connect() as app:
        app.metric("queue", lambda: len(queue), unit="jobs")

        @app.action("reload", comment="read the configuration again")
        def reload(path): ...

        app.ready()
        for message in app: ...   # ends when PM2 stops this program

This is the blocking front end; `nodechannel.pm2.asyncio` has the same words as coroutines. In PM2's cluster mode start the program
through `nodechannel.hop`.
"""

from nodechannel import _facade
from nodechannel._pm2.blocking import App, connect
from nodechannel._pm2.messages import UnsafeForPM2
from nodechannel._pm2.metrics import Counter, Gauge, Histogram, Meter

__all__ = ["App", "Counter", "Gauge", "Histogram", "Meter", "UnsafeForPM2", "connect"]

_facade.publish(__name__, {"asyncio": "nodechannel.pm2.asyncio"})
