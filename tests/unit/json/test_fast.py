"""The fast path alone: ordinary values never leave it. `test_exact.py` shows that its answers are right."""

from __future__ import annotations

from enum import IntEnum

import pytest

from nodechannel._json import exact, writing
from support.codecs import READERS, needs_orjson

fast = READERS[-1]

pytestmark = needs_orjson


class Level(IntEnum):
    LOW = 1


@pytest.mark.parametrize("line", [b'"2024-01-01"', b"-0.5", b"[-0.0,-0e1]", b'"a-0 b"', b'{"-0":"-0"}'])
def test_text_that_only_resembles_minus_zero_stays_on_the_fast_path(
    monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    def fail(line: bytes) -> None:
        pytest.fail("the exact path was taken")

    expected = exact.decode(line)
    monkeypatch.setattr(exact, "decode", fail)
    assert repr(fast.decode(line)) == repr(expected)


def test_ordinary_messages_stay_on_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(message: object, unsafe_integers: bool) -> None:
        pytest.fail("the exact path was taken")

    monkeypatch.setattr(writing, "encode", fail)
    assert (
        fast.encode({"a": [None, True, 1, 0.5, "é\n", (Level.LOW,)]})
        == '{"a":[null,true,1,0.5,"é\\n",[1]]}\n'.encode()
    )
    assert fast.encode(2**64 - 1, unsafe_integers=True) == b"18446744073709551615\n"
