"""Recommendations that a peer does not keep: the kit names the lenience. Absolute rules have their mutants; these would survive."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from channelkit.catalogue.loading import shipped
from channelkit.judge.execute import execute
from channelkit.judge.subjects import Description
from channelkit.limits import Limits
from mutants import kill
from mutants.catalogue import Mutant

if TYPE_CHECKING:
    from pathlib import Path

CASES = {case.id: case for case in shipped()}


@pytest.mark.parametrize(
    ("case", "flag", "old", "new"),
    [
        (
            "boo-number-trailing",
            "TakesBadNumber",
            "    if not number.isdecimal():\n",
            '    number = "".join(filter(str.isdecimal, number))\n    if not number:\n',
        ),
        (
            "hnd-made-nonblocking",
            "LeavesBlocking",
            "            os.set_blocking(descriptor, False)\n            self.user",
            "            self.user",
        ),
        (
            "hnd-inner-internal-closed",
            "KeepsUndelivered",
            "        elif is_internal(message):\n            os.close(descriptor)\n",
            "        elif is_internal(message):\n            return\n",
        ),
        (
            "hnd-stray-closed",
            "KeepsStrayDescriptor",
            "            self.close_strays()\n        self.close_all_but(1)\n",
            "            self.descriptors = []\n        self.close_all_but(1)\n",
        ),
        (
            "sls-ask-servers-apart",
            "SharesKeys",
            'return "4:{}:{}".format(*self.handles[server].getsockname())',
            'return "4:127.0.0.1:0"',
        ),
    ],
)
def test_a_lenience_is_named(case: str, flag: str, old: str, new: str, tmp_path: Path) -> None:
    mutant = Mutant("lenient", "", (), old, new)
    (tmp_path / "lenient.py").write_text(kill.source(mutant), "utf-8")
    command = (sys.executable, "-I", "-S", str(tmp_path / "lenient.py"))
    result = execute(
        CASES[case], Description("lenient", "child", 2, command, ""), Limits(), threading.Event()
    )
    assert (result.judgement.verdict, result.judgement.flag) == ("lenient", flag)
    whole = Description("base", "child", 2, (*command[:-1], str(kill.BASE)), "")
    assert execute(CASES[case], whole, Limits(), threading.Event()).judgement.verdict == "pass"
