"""Descriptors in control messages, as the kit's ends of a channel read and write them."""

import array
import os
import socket
import struct
from collections.abc import Iterable, Sequence

ROOM = socket.CMSG_SPACE(64 * struct.calcsize("i"))
"""Bytes of control messages that a read takes."""
FLAGS = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
"""Flags of each such read. A process that starts at the same moment inherits none of the received descriptors."""


def unpacked(ancillary: Iterable[tuple[int, int, bytes]]) -> list[int]:
    """The descriptors that a read brought, each closed by an exec; the caller owns them."""
    numbers = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    for number in numbers:
        os.set_inheritable(number, False)
    return list(numbers)


def packed(descriptors: Sequence[int]) -> list[tuple[int, int, bytes]]:
    """The control messages of a write that carries descriptors, none without any."""
    return (
        [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors).tobytes())]
        if descriptors
        else []
    )
