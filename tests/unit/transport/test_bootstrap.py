"""The bootstrap of this system."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import Any

from nodechannel._transport import bootstrap, unixboot
from support.node import ROOT


def test_a_child_gets_an_end_of_a_new_pair():
    near, fd = bootstrap.new_pair()
    assert "this process opened it" in str(bootstrap.unfit(fd))
    code = (
        f"from nodechannel._transport import bootstrap as b; print(b.unfit({fd})); b.claim({fd}).send(b'x')"
    )
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "process_group": 0}
    bootstrap.hand_down(fd, options)
    with bootstrap.start([sys.executable, "-c", code], options) as child:
        bootstrap.drop(fd)
        assert child.communicate(timeout=20)[0] == b"None\n"
    assert near.recv(9) == b"x"
    near.close()


def test_every_word_of_the_other_system_is_there():
    source = (ROOT / "pyref/nodechannel/_transport/pipeboot.py").read_text("utf-8")
    listed = ast.literal_eval(source[source.index("__all__ = ") + 10 : source.index("]") + 1])
    assert [name for name in listed if getattr(bootstrap, name) is not getattr(unixboot, name)] == []
