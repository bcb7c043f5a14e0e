"""The types of a handle, in Node's words."""

from __future__ import annotations

from enum import StrEnum


# [HND-044, HND-045]
class HandleType(StrEnum):
    """The `type` of a handle, in Node's words."""

    NET_SERVER = "net.Server"
    NET_SOCKET = "net.Socket"
    NET_NATIVE = "net.Native"
    DGRAM_SOCKET = "dgram.Socket"
    DGRAM_NATIVE = "dgram.Native"
    NET_BOUND_SOCKET = "net.BoundSocket"  # Node 26 and later


NET_SERVER, NET_SOCKET, NET_NATIVE = HandleType.NET_SERVER, HandleType.NET_SOCKET, HandleType.NET_NATIVE
DGRAM_SOCKET, DGRAM_NATIVE = HandleType.DGRAM_SOCKET, HandleType.DGRAM_NATIVE
NET_BOUND_SOCKET = HandleType.NET_BOUND_SOCKET

HANDLE_TYPES = {member.value: member for member in HandleType}
