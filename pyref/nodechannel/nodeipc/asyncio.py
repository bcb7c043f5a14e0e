"""The asyncio front end of `node-ipc`: the words of `nodechannel.nodeipc`, as coroutines."""

from nodechannel import _facade
from nodechannel._nodeipc.client import Client, connect
from nodechannel._nodeipc.datagrams import UdpPeer, UdpSocket, serve_udp
from nodechannel._nodeipc.event import Event
from nodechannel._nodeipc.server import Peer, Server, serve

__all__ = ["Client", "Event", "Peer", "Server", "UdpPeer", "UdpSocket", "connect", "serve", "serve_udp"]

_facade.publish(__name__, {})
