"""Why a frame cannot be read: a reason, and a place where there is one."""

from __future__ import annotations

import pytest

from nodechannel._advanced.decode import decode
from nodechannel._advanced.malformed import Malformed, Truncated
from nodechannel._advanced.read import read
from nodechannel.errors import InvalidFrame


def test_a_fault_has_a_reason_and_a_place():
    with pytest.raises(Malformed) as caught:
        read(b"\xff\x0dR\x22\x01a\x80\x40")
    assert (caught.value.reason, caught.value.at) == ("8192 are no flags of a RegExp", 6)


def test_a_frame_that_ends_too_early_has_no_place():
    assert issubclass(Truncated, Malformed)
    fault = Truncated()
    assert (fault.reason, fault.at) == ("the frame ends in the middle of a value", None)


def test_both_come_out_as_errors_of_the_peer():
    with pytest.raises(InvalidFrame, match=r"no flags of a RegExp \(byte 6\)"):
        decode(b"\xff\x0dR\x22\x01a\x80\x40")
    with pytest.raises(InvalidFrame, match="the frame ends in the middle of a value"):
        decode(b"\xff\x0do")
