"""The options of clients and servers: each is explained, and taken by the calls that it is for."""

from __future__ import annotations

import math
from typing import Any

from nodechannel import nodeipc
from nodechannel._nodeipc import options
from support.options import described


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
