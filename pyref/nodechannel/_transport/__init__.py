"""The meaning of bytes, descriptors and shared sockets to the system: the only room that knows the platform. Imports `errors` alone."""

from sys import platform as _platform

if _platform == "win32":
    raise ImportError(
        "nodechannel does not run on Windows yet: there Node's channel is a named pipe, and handles travel in another way"
    )
