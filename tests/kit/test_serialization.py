"""The kit speaks another serialization: a toy with frames of a length and JSON runs cases against a real child."""

from __future__ import annotations

import ast
import dataclasses
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from channelkit.catalogue.loading import shipped
from channelkit.wire.modes import JSON_LINES, SERIALIZATIONS, of_mode
from channelkit.wire.serialization import Frame, Serialization, split
from channelkit.wire.values import compact
from support.kit import judge

if TYPE_CHECKING:
    from channelkit.catalogue.cases import Case

KIT = Path(__file__).resolve().parents[2] / "conformance" / "channelkit"


class LengthPrefixed:
    """Four bytes of length, the highest first, then a JSON text."""

    mode = "length-prefixed"

    def frame(self, value: Any) -> bytes:
        text = compact(value)
        return struct.pack(">I", len(text)) + text

    def echo(self, value: Any) -> Any:
        return JSON_LINES.echo(value)

    def read(self, frame: bytes) -> Frame:
        return JSON_LINES.read(frame[4:])

    def end(self, data: bytes | bytearray, begin: int, seen: int) -> int:
        if len(data) < begin + 4:
            return -1
        (size,) = struct.unpack_from(">I", data, begin)
        return int(begin + 4 + size) if len(data) >= begin + 4 + size else -1

    def cuts(self, data: bytes) -> dict[str, list[int]]:
        starts = [0]
        for frame in split(self, data)[0]:
            starts.append(starts[-1] + len(frame))
        heads = [start + 2 for start in starts if start + 2 < len(data)]
        return {"frames": starts[1:-1], "length": heads}


TOY: Serialization = LengthPrefixed()
PORTABLE = (
    "cls-unknown-between",
    "cls-user-near-prefix",
    "frm-many-in-one-write",
    "frm-one",
    "frm-same-again",
    "frm-utf8-split",
    "jsn-composition",
    "jsn-depth-content",
    "jsn-top-array",
    "jsn-top-null",
    "lif-close",
    "lif-half-close",
)
"""Cases of an echo child in which every chunk of a write is a message."""


@pytest.fixture(autouse=True)
def _toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERIALIZATIONS, TOY.mode, TOY)


def case(name: str) -> Case:
    (found,) = (one for one in shipped() if one.id == name)
    return dataclasses.replace(found, start={"mode": TOY.mode})


@pytest.mark.parametrize("name", PORTABLE)
def test_a_case_of_the_catalogue_runs_in_the_toy(name: str) -> None:
    result = judge("length_prefixed", case(name), scale=4)
    assert (result.judgement.verdict, result.judgement.seen.text) == ("pass", "")
    assert len(result.variants) == len(case(name).variants)


def test_its_own_segmentations_find_a_receiver_that_takes_a_read_for_a_message() -> None:
    assert case("frm-one").variants == ["whole", "bytes", "length", "glued"]
    assert "frames" in case("frm-many-in-one-write").variants
    result = judge("length_prefixed", case("frm-one"), "naive", scale=4)
    assert (result.judgement.verdict, result.judgement.seen.outcome) == ("fail", "died")
    assert result.judgement.seen.variant in ("bytes", "length")


def test_a_child_of_json_fails_in_it() -> None:
    assert judge("right", case("frm-one")).judgement.verdict == "fail"


def test_a_stream_is_cut_into_frames() -> None:
    stream = TOY.frame({"a": "\n"}) + TOY.frame(1)
    assert split(TOY, stream + b"\0\0") == ([TOY.frame({"a": "\n"}), TOY.frame(1)], b"\0\0")
    assert split(JSON_LINES, b"1\n[2]\n3") == ([b"1\n", b"[2]\n"], b"3")
    assert split(JSON_LINES, b"") == ([], b"")


@pytest.mark.parametrize("mode", [None, "", "json", "frobnicate"])
def test_json_is_the_usual_mode(mode: str | None) -> None:
    assert of_mode(mode) is JSON_LINES


# Control channel, puppet, filters and recordings have lines of their own; the lint of lines is of chapter 20.
LINES = {
    "lint/lines.py",
    "tap/reading.py",
    "tap/record.py",
    "wire/jsonlines.py",
    "judge/codec.py",
    "process/control.py",
    "process/puppet.py",
    "process/puppetlink.py",
}
TEXTS = {"wire/jsonlines.py", "lint/lines.py", "process/control.py", "judge/codec.py"}


@pytest.mark.parametrize("path", sorted(KIT.rglob("*.py")), ids=lambda path: path.relative_to(KIT).as_posix())
def test_only_the_serialization_knows_lines_and_json_of_the_channel(path: Path) -> None:
    name = path.relative_to(KIT).as_posix()
    tree = ast.parse(path.read_text("utf-8"))
    literals = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    if name not in LINES:
        assert not any(isinstance(value, bytes) and b"\n" in value for value in literals)
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "channelkit.wire.values"
        for alias in node.names
    }
    assert name in TEXTS or not imported & {"compact", "parse"}
