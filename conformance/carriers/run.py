"""Runs the cases of carriers on subjects: real programs whose bytes are judged on the wire. It needs Python alone.

`python conformance/carriers/run.py [NAME ...]` runs the subjects of these names, or all. Each case has a process of its own.
A subject answers each message with the value that it has seen, and each fault with an error. Its description lists the cases that it
is known to fail. A case of that list that passes is a failure too, so that no list grows stale.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent

# Seconds between two writes, so that they are read apart, and seconds for all answers of a subject.
PAUSE, PATIENCE = 0.01, 20.0

# The event that asks a subject of node-ipc whether all events before it were answered.
PROBE = b'{"type":"probe","data":0}\f'
ANSWERED = {"seen": {"type": "probe", "data": 0}}


class Subject(NamedTuple):
    """A program under test.

    Attributes:
        name: the name of its description.
        carrier: the carrier that it speaks.
        command: its command line; a socket's path is added for node-ipc.
        known: the cases that it fails, each with the reason.
        varies: the cases that it passes in some versions of its runtime, each with the reason.
    """

    name: str
    carrier: str
    command: list[str]
    known: dict[str, str]
    varies: dict[str, str]


def load_cases(carrier: str) -> list[dict[str, Any]]:
    """Return the cases of a carrier."""
    cases: list[dict[str, Any]] = json.loads((HERE / "cases" / f"{carrier}.json").read_text("utf-8"))["cases"]
    return cases


def load_subjects() -> list[Subject]:
    """Return all subjects, with the places of this machine in their commands."""
    places = {
        "python": sys.executable,
        "node": os.environ.get("NODE") or shutil.which("node") or "node",
        "here": str(HERE),
    }
    found = []
    for path in sorted((HERE / "subjects").glob("*.json")):
        told = json.loads(path.read_text("utf-8"))
        command = [word.format(**places) for word in told["command"]]
        found.append(
            Subject(path.stem, told["carrier"], command, told.get("known", {}), told.get("varies", {}))
        )
    return found


# Bytes to send, and answers to expect.


def bytes_of(part: Any) -> bytes:
    """Return the bytes of a part of a case: a text, bytes in hexadecimal digits, a text many times, or a list of these."""
    if isinstance(part, list):
        return b"".join(map(bytes_of, part))
    if isinstance(part, str):
        return part.encode()
    return bytes.fromhex(part["hex"]) if "hex" in part else str(part["repeat"]).encode() * int(part["times"])


def expected(case: dict[str, Any]) -> list[Any]:
    """Return the answers that a case expects."""
    found: list[Any] = []
    for item in case["expect"]:
        answer = {name: expanded(value) for name, value in item.items() if name != "times"}
        found += [answer] * item.get("times", 1)
    return found


def expanded(value: Any) -> Any:
    """Return a value with its long texts written out."""
    if isinstance(value, dict) and "$repeat" in value:
        return value["$repeat"] * value["times"]
    if isinstance(value, dict):
        return {name: expanded(member) for name, member in value.items()}
    return value


def answers(carrier: str, data: bytes) -> Iterator[Any]:
    """Yield the answers in a subject's bytes; raises `ValueError` for bytes that are none."""
    if carrier == "headers":
        while data:
            head = re.match(rb"Content-Length: ([0-9]+)\r\n\r\n", data)
            if head is None:
                raise ValueError(f"no header: {data[:60]!r}")
            yield json.loads(data[head.end() : head.end() + int(head[1])])
            data = data[head.end() + int(head[1]) :]
        return
    *frames, rest = data.split(b"\n" if carrier == "lines" else b"\f")
    if rest:
        raise ValueError(f"an answer without its end: {rest[:60]!r}")
    for frame in frames:
        value = json.loads(frame)
        if carrier == "node-ipc":
            if list(value) != ["type", "data"] or value["type"] != "answer":
                raise ValueError(f"no answer: {frame[:60]!r}")
            value = value["data"]
        yield value


def fault(case: dict[str, Any], carrier: str, data: bytes) -> str | None:
    """Return the fault of the bytes that answered a case, None if they have none."""
    try:
        found = list(answers(carrier, data))
    except ValueError as error:
        return str(error)
    if carrier == "node-ipc":
        if not found or found.pop() != ANSWERED:
            return f"the connection did not live to the end: {found[:4]}"
        data = data[: data.rindex(b"\f", 0, -1) + 1] if found else b""
    wanted = expected(case)
    if found != wanted:
        return f"{shown(found)} in place of {shown(wanted)}"
    if "raw" in case and data != case["raw"].encode():
        return f"the bytes {data[:80]!r}"
    return None


def shown(value: list[Any]) -> str:
    """Return answers as a short text."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 120 else f"{text[:117]}..."


# A case on a subject.


def carry_out(case: dict[str, Any], subject: Subject) -> str | None:
    """Return the fault, None if there is none."""
    writes = [bytes_of(part) for part in case["send"]]
    try:
        data = (
            _over_socket(subject, writes) if subject.carrier == "node-ipc" else _over_pipes(subject, writes)
        )
    except subprocess.TimeoutExpired:
        return "it does not end"
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return fault(case, subject.carrier, data)


def _over_pipes(subject: Subject, writes: list[bytes]) -> bytes:
    with _started(subject.command) as process:
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            _write(writes, process.stdin)
        try:
            return process.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _write(writes: list[bytes], stream: Any) -> None:
    for number, data in enumerate(writes):
        if number:
            time.sleep(PAUSE)
        stream.write(data)
        stream.flush()


def _over_socket(subject: Subject, writes: list[bytes]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/s"
        with _started([*subject.command, path]) as process:
            try:
                assert process.stdout is not None
                if process.stdout.readline() != b"ready\n":
                    raise ConnectionError("the subject is not ready")
                with socket.socket(socket.AF_UNIX) as peer:
                    peer.settimeout(PATIENCE)
                    peer.connect(path)
                    return _converse(peer, [*writes, PROBE])
            finally:
                process.kill()


def _converse(peer: socket.socket, writes: list[bytes]) -> bytes:
    found = b""
    with suppress(BrokenPipeError, ConnectionResetError), peer.makefile("wb", buffering=0) as stream:
        _write(writes, stream)
    with suppress(ConnectionResetError, TimeoutError):
        while b'"probe"' not in found or not found.endswith(b"\f"):
            data = peer.recv(1 << 20)
            if not data:
                break
            found += data
    return found


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )


def judge(subject: Subject, cases: list[dict[str, Any]]) -> list[str]:
    """Run cases on a subject; return the results that were not foreseen."""
    unforeseen = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda case: carry_out(case, subject), cases))
    for case, wrong in zip(cases, found, strict=True):
        if case["id"] in subject.varies:
            continue
        if wrong is not None and case["id"] not in subject.known:
            unforeseen.append(f"{subject.name} {case['id']}: {wrong}")
        elif wrong is None and case["id"] in subject.known:
            unforeseen.append(f"{subject.name} {case['id']}: passes, and is listed as known to fail")
    return unforeseen


def main() -> int:
    """Run the subjects that are named; return the exit status."""
    found = argparse.ArgumentParser(description=__doc__)
    found.add_argument("names", nargs="*", metavar="NAME", help="subjects; all without any")
    names = found.parse_args().names
    subjects = [subject for subject in load_subjects() if not names or subject.name in names]
    unforeseen: list[str] = []
    for subject in subjects:
        cases = load_cases(subject.carrier)
        lines = judge(subject, cases)
        unforeseen += lines
        print(
            f"{subject.name}: {len(cases)} cases, {len(subject.known)} known to fail, {len(lines)} unforeseen"
        )
    print("\n".join(unforeseen))
    return bool(unforeseen) or not subjects


if __name__ == "__main__":
    sys.exit(main())
