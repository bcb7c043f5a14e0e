"""A real Node at the far end of an advanced channel, and the frames of `spec/35-advanced.md`."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.node import FIXTURES, ROOT, node

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTH = 4
PATIENCE = 30.0


class NodeEnd:
    """A Node process whose channel the test holds, and its reading of each frame."""

    def __init__(self, process: subprocess.Popen[bytes], end: socket.socket) -> None:
        self._process = process
        self._end = end
        self._answers = bytearray()
        self.major = int(re.match(r"v(\d+)", self._answer()["version"])[1])  # type: ignore[index]

    def writes(self, expression: str) -> bytes:
        """Return the frame, without its length, in which Node sends the value of an expression; raises `ValueError` if it refuses."""
        answer = self._order({"send": expression})
        if "error" in answer:
            raise ValueError(answer["error"])
        size = int.from_bytes(self._read(LENGTH))
        return self._read(size)

    def reads(self, body: bytes, expression: str | None = None) -> dict[str, Any]:
        """Return Node's reading of a frame: `text`, and `equal` if a value is expected; or `error`."""
        return self._give(body, {} if expression is None else {"expect": expression})

    def same(self, one: bytes, other: bytes) -> bool:
        """Tell whether two frames mean values that are deeply and strictly equal."""
        first = self._give(one, {"keep": True})
        second = self._give(other, {"compare": True})
        assert "error" not in first, (first, one)
        assert "error" not in second, (second, other)
        return bool(second["equal"])

    def echoes(self, body: bytes) -> bytes:
        """Return the frame in which Node sends back the value that it reads."""
        answer = self._give(body, {"echo": True})
        assert "error" not in answer, (answer, body)
        assert "refused" not in answer, (answer, body)
        return self._read(int.from_bytes(self._read(LENGTH)))

    def _give(self, body: bytes, order: dict[str, Any]) -> dict[str, Any]:
        self._order(order)
        self._end.sendall(len(body).to_bytes(LENGTH, "big") + body)
        return self._answer()

    def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while b"\n" not in self._answers:
            assert select.select([self._process.stdout], [], [], PATIENCE)[0], "Node says nothing"
            data = os.read(self._process.stdout.fileno(), 1 << 16)
            assert data, f"Node has died with {self._process.wait()}"
            self._answers += data
        line, _, self._answers = self._answers.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self._end.recv(min(size - len(data), 1 << 16))
            assert piece, "the channel has ended"
            data += piece
        return bytes(data)


@contextmanager
def node_end(path: str | None = None) -> Iterator[NodeEnd]:
    """Start a Node that runs `advanced.cjs`, and end it."""
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE)
    env = {name: value for name, value in os.environ.items() if not name.startswith("NODE_")}
    env |= {"NODE_CHANNEL_FD": str(theirs.fileno()), "NODE_CHANNEL_SERIALIZATION_MODE": "advanced"}
    with theirs:
        process = subprocess.Popen(
            [path or node(), "--stack-trace-limit=0", str(FIXTURES / "advanced.cjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            pass_fds=[theirs.fileno()],
        )
    with ours, process:
        try:
            yield NodeEnd(process, ours)
        finally:
            process.kill()


@dataclass(frozen=True)
class Frame:
    """A line of the `frames` blocks of the spec.

    Attributes:
        sign: ``=`` senders write it, ``<`` it is read though no sender writes it now, ``!`` it is refused.
        body: the bytes after the header.
        value: the JavaScript expression of its value; a remark where it is refused.
        readers: the majors of Node that read it: from the first to the second.
    """

    sign: str
    body: bytes
    value: str
    readers: tuple[int, int]

    def read_by(self, major: int) -> bool:
        """Whether that Node reads it."""
        return self.readers[0] <= major <= self.readers[1]

    def __str__(self) -> str:
        return f"{self.sign} {self.body.hex(' ')}"


_LINE = re.compile(r"([=<!]) ((?:[0-9a-f]+ |'[^']*' )*) ?; (.*?)(?: ; (\d*)-(\d*))?$")


def spec_frames() -> list[Frame]:
    """Return the frames of the chapter."""
    prose = (ROOT / "spec" / "35-advanced.md").read_text("utf-8")
    blocks = re.findall(r"^```frames\n(.*?)^```", prose, re.MULTILINE | re.DOTALL)
    return [_parsed(line) for block in blocks for line in block.splitlines() if line.strip()]


def _parsed(line: str) -> Frame:
    found = _LINE.match(line)
    assert found, f"not a line of frames: {line}"
    sign, parts, value, first, last = found.groups()
    body = b"".join(
        part.encode("latin-1") if index % 2 else bytes.fromhex(part)
        for index, part in enumerate(parts.split("'"))
    )
    nobody, everybody = (99, 0), (12, 99)
    readers = (int(first or 12), int(last or 99)) if first or last else (nobody if sign == "!" else everybody)
    return Frame(sign, body, value.strip(), readers)
