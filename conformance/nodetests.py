"""Runs tests of Node's own sources twice, alone and with every child behind a tap, and compares their exit statuses.

``python conformance/nodetests.py NODE TEST.js …``, with tests of a checkout of Node whose version fits. Exit status 1 means a difference.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_FLAGS = re.compile(r"^// Flags: (.*)$", re.MULTILINE)
_PATIENCE = 60
_PORTS = 20000


def run(node: str, test: Path, number: int, tap: Sequence[str] = ()) -> str:
    """The exit status of one test, or ``time-out``."""
    flags = _FLAGS.search(test.read_text("utf-8"))
    command = [*tap, node, *(flags[1].split() if flags else ()), str(test)]
    with tempfile.TemporaryDirectory() as folder:
        names = {"NODE_TEST_DIR": folder, "TEST_THREAD_ID": str(number), "TEST_SERIAL_ID": str(number)}
        # Names that a newer Node has defined are no leaks.
        environment = {**os.environ, **names, "NODE_TEST_KNOWN_GLOBALS": "0"}
        environment["NODE_COMMON_PORT"] = str(_PORTS + 100 * number)
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        try:
            return str(process.wait(_PATIENCE))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return "time-out"


def compared(node: str, test: Path, number: int) -> tuple[str, str, int]:
    """Both statuses of a test, and the number of recordings."""
    alone = run(node, test, number)
    with tempfile.TemporaryDirectory() as folder:
        tap = [sys.executable, "-m", "channelkit", "tap", "--follow", "-o", folder, "--"]
        return alone, run(node, test, number, tap), len(list(Path(folder).glob("*.ctap")))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("node", help="the program")
    parser.add_argument("tests", type=Path, nargs="+", metavar="TEST.js")
    arguments = parser.parse_args()
    tests: list[Path] = arguments.tests
    recordings = differences = passed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda one: compared(arguments.node, one[1], one[0]), enumerate(tests))
        for test, (alone, tapped, count) in zip(tests, found, strict=True):
            recordings += count
            passed += alone == tapped == "0"
            if alone != tapped:
                differences += 1
                print(f"{test.name}: {alone} alone, {tapped} behind the tap")
    print(f"{len(tests)} tests: {passed} pass in both, {differences} differ, {recordings} recordings")
    return int(differences > 0)


if __name__ == "__main__":
    sys.exit(main())
