"""The child of a measured parent: it writes into a file the facts that it finds about its channel."""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import ctypes
import json
import msvcrt
import os
from pathlib import Path

kernel = ctypes.windll.kernel32
PIPE, MESSAGES = 3, 4


def process(of: str, handle: int) -> str:
    """Return the owner of a side of the pipe."""
    found = ctypes.c_ulong()
    if not getattr(kernel, f"GetNamedPipe{of}ProcessId")(ctypes.c_void_p(handle), ctypes.byref(found)):
        return "unknown"
    names = {os.getppid(): "parent", os.getpid(): "child"}
    return f"{of.lower()} is the {names.get(found.value, 'stranger')}"


def main() -> None:
    """Find the facts."""
    variable = os.environ["NODE_CHANNEL_FD"]
    try:
        handle = msvcrt.get_osfhandle(int(variable))
    except OSError:
        handle = 0
    flags = ctypes.c_ulong()
    known = kernel.GetNamedPipeInfo(ctypes.c_void_p(handle), ctypes.byref(flags), None, None, None)
    kind = "messages" if flags.value & MESSAGES else "bytes"
    facts = {
        "variable": variable,
        "descriptor": bool(handle) and kernel.GetFileType(ctypes.c_void_p(handle)) == PIPE,
        "handle": str(handle),
        "type": f"a named pipe of {kind}" if known else "no named pipe",
        "server": process("Server", handle),
        "client": process("Client", handle),
    }
    Path(sys.argv[1]).write_text(json.dumps(facts), "utf-8")


if __name__ == "__main__":
    main()
