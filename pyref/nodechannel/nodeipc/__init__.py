"""Clients and servers for programs that speak npm `node-ipc`, over Unix sockets, TCP, TLS and UDP.

    from nodechannel import nodeipc

    with nodeipc.connect("world") as client:   # a Node program serves with the id `world`
        client.send("hello", {"from": "Python"})
        for event in client:
            print(event.type, event.data)

This is the blocking front end; `nodechannel.nodeipc.asyncio` has the same words as coroutines.
"""

from nodechannel import _facade
from nodechannel._nodeipc.blocking import Client, Peer, Server, UdpPeer, UdpSocket, connect, serve, serve_udp
from nodechannel._nodeipc.event import Event
from nodechannel._nodeipc.options import ClientOptions, ServerOptions, UdpOptions

__all__ = [
    "Client",
    "ClientOptions",
    "Event",
    "Peer",
    "Server",
    "ServerOptions",
    "UdpOptions",
    "UdpPeer",
    "UdpSocket",
    "connect",
    "serve",
    "serve_udp",
]

_facade.publish(__name__, {"asyncio": "nodechannel.nodeipc.asyncio"})
