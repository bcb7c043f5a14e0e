"""From a frame to its value: the header, and what is said of a frame that cannot be read."""

from __future__ import annotations

import pytest

from nodechannel import js
from nodechannel._advanced import fastread
from nodechannel._advanced.decode import decode
from nodechannel.errors import InvalidFrame


@pytest.mark.rule("ADV-011")
@pytest.mark.parametrize("version", [13, 14, 15, 16])
def test_the_versions_of_all_runtimes_are_read(version):
    assert decode(bytes([0xFF, version]) + b"I\x02") == 1


@pytest.mark.rule("ADV-011")
@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", "it is empty"), (b"{}", "it begins with 0x7b and not with 0xff"), (b"\xff", "it ends after its first byte"),
        (b"\xff\x0cI\x02", "its version 12 is not one of 13 to 16"), (b"\xff\x11I\x02", "its version 17"),
    ],
)  # fmt: skip
def test_another_header_is_refused_with_what_is_wrong(frame, reason):
    with pytest.raises(InvalidFrame, match=reason):
        decode(frame)


def test_what_only_the_definition_reads_is_read_as_well():
    frame = b"\xff\x0f;\x22\x01aI\x02:\x02"
    with pytest.raises(fastread.FAILURES):
        fastread.read(frame)
    assert decode(frame) == js.Map({"a": 1})


@pytest.mark.rule("ADV-051")
def test_a_bad_frame_does_not_spoil_the_next():
    with pytest.raises(InvalidFrame) as caught:
        decode(b"\xff\x0fo")
    assert caught.value.__cause__ is None
    assert decode(bytearray(b"\xff\x0fo{\x00")) == {}
