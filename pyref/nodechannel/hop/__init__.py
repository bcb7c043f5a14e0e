"""A stand-in for parents that can only start Node, like PM2's cluster mode or nodemon.

    from nodechannel import hop

    print(hop.path())   # nodemon "$(nodechannel hop --print-path)" python3 child.py

`hop.cjs` runs in Node and gives the channel of its process on to any command. From then on it is out of the data path: it passes signals
on and ends as the command ends. Name the file as the script, and the command as its arguments. `path` returns where it is, and so does
`nodechannel hop --print-path`.
"""

from __future__ import annotations

import os

__all__ = ["path"]


def path() -> str:
    """Return the path of `hop.cjs`."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "hop.cjs")  # noqa: PTH100, PTH118, PTH120
