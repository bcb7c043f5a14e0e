"""A frame from its parts."""

from __future__ import annotations

import pytest

from nodechannel._advanced import output
from nodechannel._advanced.output import FrameTooLong, Output
from nodechannel._advanced.writeleaves import string


def test_the_parts_are_joined_behind_their_length_and_the_header():
    out = Output()
    out.parts += (b"ab", bytearray(b"c"), memoryview(b"d"))
    assert out.frame() == b"\x00\x00\x00\x06\xff\x0dabcd"


@pytest.mark.rule("ADV-022")
@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_wide_characters_stand_at_even_positions(before):
    out = Output()
    out.parts.append(b"0" * before)
    for text in ("€", "€uro"):
        string(out, text)
    frame = out.frame()[4:]
    for text in ("€", "€uro"):
        assert frame.index(text.encode("utf-16-le")) % 2 == 0


@pytest.mark.rule("ADV-003")
def test_a_frame_that_node_takes_for_negative_is_refused(monkeypatch):
    monkeypatch.setattr(output, "LONGEST_FRAME", 5)
    out = Output()
    out.parts.append(b"abc")
    assert len(out.frame()) == 9
    out.parts.append(b"d")
    with pytest.raises(FrameTooLong) as caught:
        out.frame()
    assert caught.value.size == 6


@pytest.mark.rule("ADV-003")
def test_many_parts_are_joined_as_few_are(monkeypatch):
    out = Output()
    out.parts += [b"ab", memoryview(b"c")] * 500
    assert out.frame() == (1502).to_bytes(4, "big") + b"\xff\x0d" + b"abc" * 500
    monkeypatch.setattr(output, "LONGEST_FRAME", 1501)
    with pytest.raises(FrameTooLong) as caught:
        out.frame()
    assert caught.value.size == 1502
