"""The options of clients and servers: each is explained, and taken by the calls that it is for."""

from __future__ import annotations

import inspect
import math
import re
from typing import Any, is_typeddict

from nodechannel import nodeipc
from nodechannel._nodeipc import options


def described(module: Any) -> set[str]:
    """The options that the docstrings of a module's classes explain."""
    classes = [part for part in vars(module).values() if is_typeddict(part)]
    lines = [
        found
        for part in classes
        for found in re.findall(r"^ {4}([a-z_][a-z_, ]*): ", inspect.getdoc(part) or "", re.MULTILINE)
    ]
    return {name for line in lines for name in line.split(", ")}


def test_every_option_is_explained():
    kinds = (options.ClientOptions, options.ServerOptions, options.UdpOptions)
    assert described(options) == {name for kind in kinds for name in kind.__annotations__}


def test_what_an_option_says_happens(tmp_path):
    path = str(tmp_path / "s")
    sent = {"unsafe_integers": 2**60 + 1, "allow_nan": math.nan, "default": {1}}
    with nodeipc.serve(path=path, mode=0o600, max_connections=1) as server:
        chosen: Any = {
            "unsafe_integers": True,
            "allow_nan": True,
            "default": sorted,
            "max_retries": 0,
            "timeout": 20,
        }
        with nodeipc.connect(path=path, **chosen) as client:
            client.send("all", sent)
            assert server.receive(timeout=20).data == {
                "unsafe_integers": 2**60 + 1,
                "allow_nan": None,
                "default": [1],
            }
