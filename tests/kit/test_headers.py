"""The form of Windows: headers and blocks are taken out of a stream however it is cut, and each broken rule is named."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from channelkit.catalogue.loading import shipped
from channelkit.judge.runner import Options, pairs, run
from channelkit.judge.subjects import Description
from channelkit.limits import Limits
from channelkit.wire.headers import Block, Headers, framed, header, listens, stand_in
from channelkit.wire.modes import JSON_LINES
from channelkit.wire.rawchannel import RawChannel
from channelkit.wire.transcript import Transcript
from mutants import kill

if TYPE_CHECKING:
    from pathlib import Path

ME = os.getpid()
STREAM = (
    framed(b"one\n")
    + framed(b"two\n", stand_in(ME), connection=True)
    + framed(b"", stand_in(ME))
    + framed(b"three\n")
)


def read(parts: list[bytes]) -> tuple[bytes, list[tuple[int, bool]], str]:
    """Return the data, each socket with its place in them, and the fault."""
    headers, data, sockets = Headers(ME), b"", []
    for part in parts:
        for found in headers.read(part):
            if isinstance(found, Block):
                sockets.append((len(data), found.connection))
            else:
                data += found
    headers.end()
    return data, sockets, headers.fault


@pytest.mark.parametrize("size", [1, 3, 15, 16, 17, 632, 4096])
def test_a_stream_says_the_same_however_it_is_cut(size: int) -> None:
    parts = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert read(parts) == (b"one\ntwo\nthree\n", [(4, True), (8, False)], "")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (header(9, 1), "flags 0x9 have an unknown bit"),
        (header(5, 1), "flags 0x5 name a connection and no socket"),
        (header(0, 1), "flags 0x0 stand before 1 bytes of data"),
        (header(1, 0), "flags 0x1 stand before 0 bytes of data"),
        (header(0, 0), "a header announces nothing"),
        (header(1, 1, first=1), "the reserved words are 1 and 0"),
        (header(1, 1, second=2), "the reserved words are 0 and 2"),
        (framed(b"", bytes(632)), "a block is no socket"),
        (framed(b"", stand_in(1)), f"a socket is made for the process 1, and {ME} reads it"),
        (header(1, 4) + b"one", "the pipe ended within a header, a block or announced data"),
        (header(1, 4)[:9], "the pipe ended within a header, a block or announced data"),
        (framed(b"", stand_in(ME))[:-1], "the pipe ended within a header, a block or announced data"),
    ],
    ids=map(
        str, range(12)
    ),  # a text with the number of this process would differ between the processes of a run
)
def test_each_broken_rule_is_named(data: bytes, fault: str) -> None:
    assert read([framed(b"good\n") + data])[0].startswith(b"good\n")
    assert read([framed(b"good\n") + data])[2] == fault


def test_what_listens_is_told_from_the_rest() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as one,
    ):
        assert (listens(server.fileno()), listens(one.fileno())) == (True, False)
    reader, writer = os.pipe()
    assert not listens(reader)
    os.close(reader)
    os.close(writer)


def test_a_write_that_the_kernel_takes_in_parts_has_one_header() -> None:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    channel = RawChannel(ours, Transcript(), JSON_LINES, ME)
    data, came, taken = b"x" * 100_000, b"", 0
    with theirs:
        while not taken:
            taken = channel.write(memoryview(data))
            came += theirs.recv(1 << 20)
        theirs.setblocking(False)
        while len(came) < 16 + len(data):
            came += theirs.recv(1 << 20)
    channel.dispose()
    assert (taken, came) == (len(data), framed(data))


@pytest.mark.parametrize(("rung", "words"), [(0, ["echo"]), (2, [])])
def test_the_base_of_the_form_passes_its_chapter_and_ordinary_cases(
    rung: int, words: list[str], tmp_path: Path
) -> None:
    program = tmp_path / "base.py"
    program.write_text(kill.base_text("windows"), "utf-8")
    command = (sys.executable, "-I", "-S", str(program), *words)
    can = kill.HANDLES if rung == 0 else ()
    subject = Description("base", "child", rung, command, "", capabilities=can, wire="windows")
    cases = [case for case in shipped() if case.topic in ("win", "cls")]
    results = run(pairs([subject], cases), Options(4, Limits(2)))
    found = {one.case.id: one.judgement.seen.text for one in results if one.judgement.verdict != "pass"}
    assert found == {}
