"""The plan of the measurements: the scenarios, the pairs of processes, the messages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

SIZES = {
    "64": 64,
    "1k": 1 << 10,
    "64k": 1 << 16,
    "1m": 1 << 20,
    "16m": 1 << 24,
    "32m": 1 << 25,
    "64m": 1 << 26,
}

# Messages that a Python end gives the channel in a single call of `send_many`, and their bytes at most.
BATCH = 256
BATCH_BYTES = 1 << 18

# The pair that all pairs are compared with.
BASE = "node-node"


@dataclass(frozen=True)
class Scenario:
    """A task that a pair does many times.

    Attributes:
        kind: ``up`` (the child sends), ``down`` (the parent sends), ``echo`` (round trips), ``server`` and ``socket`` (the parent hands
            over handles of that kind), ``start`` (the parent starts children in turn, and waits for the first message of each).
        size: a key of `SIZES`, empty where the message does not matter.
        nested: a message as programs send them, instead of a long string.
        form: ``object`` for an object of a few members, ``buffer`` for bytes in the place of the string.
        serialization: the mode of the channel.
        most: messages of a pass at most.
        rounds: how many times as many rounds as others: where the ends take turns, the system now puts both on one processor and now on
            two, and that alone changes the time by half.
        one_processor: both ends share a processor, which leaves the work of the two and the cost of passing on.
    """

    kind: str
    size: str = ""
    nested: bool = False
    form: str = ""
    serialization: str = "json"
    most: int = 1_000_000
    rounds: int = 1
    one_processor: bool = False

    @property
    def name(self) -> str:
        """The name in results and for `--only`, for example ``oneway-64-up``."""
        what = {"up": "oneway", "down": "oneway", "echo": "roundtrip", "start": "start"}.get(
            self.kind, "handles"
        )
        rest = [
            self.size,
            "nested" if self.nested else "",
            self.form,
            "" if self.serialization == "json" else self.serialization,
            "" if self.kind in ("echo", "start") else self.kind,
        ]
        return "-".join(filter(None, [what, *rest]))

    @property
    def handles(self) -> bool:
        """Whether sockets are handed over."""
        return self.kind in ("server", "socket")

    @property
    def in_turn(self) -> bool:
        """Whether the ends work in turn."""
        return self.kind not in ("up", "down")

    def payload(self) -> Any:
        """Return the message, or None where it does not matter."""
        if not self.size:
            return None
        size = SIZES[self.size]
        if self.form == "buffer":
            return {"buffer": size}
        if self.form == "object":
            return {"id": 123456, "state": "done", "seconds": 1.25, "cached": True}
        return records(size) if self.nested else "x" * (size - 2)

    def chosen(self, words: str) -> bool:
        """Whether `--only words` means this scenario: every part of it is a part of the name."""
        return set(words.split("-")) <= set(self.name.split("-"))


def records(size: int) -> dict[str, Any]:
    """Return a message of about `size` bytes with all kinds of JSON values, as a queue of jobs would send it."""
    rows: list[dict[str, Any]] = []
    message = {"type": "jobs.done", "version": 2, "sender": {"host": "worker-07", "pid": 4711}, "rows": rows}
    left = size - len(json.dumps(message))
    while left > 0:
        number = len(rows)
        rows.append(
            {
                "id": f"job-{number:06d}",
                "state": "done" if number % 7 else "failed",
                "attempt": number % 3 + 1,
                "seconds": 0.25 + number % 40,
                "tags": ["nightly", "zürich"],
                "error": None if number % 7 else {"code": "ETIMEDOUT", "text": "no answer after 30 s\n"},
                "cached": number % 2 == 0,
            }
        )
        left -= len(json.dumps(rows[-1], ensure_ascii=False, separators=(",", ":")).encode()) + 1
    return message


def _scenarios() -> list[Scenario]:
    plain, nested = ("64", "1k", "64k", "1m", "16m"), ("1k", "64k")
    found = [Scenario(way, size) for size in plain for way in ("up", "down")]
    found += [Scenario(way, size, nested=True) for size in nested for way in ("up", "down")]
    found += [Scenario("echo", size, one_processor=size == "64") for size in plain]
    found += [Scenario("echo", size, nested=True) for size in nested]
    # The same values in both modes. 64 bytes are about the size of the object as JSON.
    for mode in ("json", "advanced"):
        found += [Scenario(way, "64", form="object", serialization=mode) for way in ("up", "down")]
    found += [Scenario(way, "1k", nested=True, serialization="advanced") for way in ("up", "down")]
    found += [
        Scenario(way, size, form="buffer", serialization="advanced")
        for size in ("64k", "1m")
        for way in ("up", "down")
    ]
    # A single message in a pass: its memory counts as well.
    found += [Scenario(way, size, most=1) for size in ("32m", "64m") for way in ("up", "down")]
    found += [Scenario(kind, most=300, rounds=5) for kind in ("server", "socket")]
    return [*found, Scenario("start", most=10)]


SCENARIOS = _scenarios()


@dataclass(frozen=True)
class End:
    """An end of a pair.

    Attributes:
        runtime: the program that runs it, a key of `bench.runtimes.find`.
        peer: the file in ``peers/``.
        title: how tables call it.
        hello: the file in ``peers/`` that sends a message and ends, where the start of a child is measured.
        floor: which floor, for ``floor.py``.
        tapped: whether `channelkit tap` stands in front of it, which is possible for a child.
    """

    runtime: str
    peer: str
    title: str
    hello: str = ""
    floor: str = ""
    tapped: bool = False


ENDS = {
    "node": End("node", "peer.cjs", "Node", "hello.cjs"),
    "node26": End("node@26", "peer.cjs", "Node 26"),
    "tap": End("node", "peer.cjs", "Node behind the tap", "hello.cjs", tapped=True),
    "bun": End("bun", "peer.cjs", "Bun", "hello.cjs"),
    "deno": End("deno", "peer.cjs", "Deno", "hello.cjs"),
    "py": End("python", "blocking.py", "Python", "hello_blocking.py"),
    "aio": End("python", "with_asyncio.py", "Python asyncio", "hello_asyncio.py"),
    "uv": End("uvloop", "with_asyncio.py", "Python uvloop", "hello_asyncio.py"),
    "raw": End("python", "floor.py", "bare socket", floor="raw"),
    "json": End("python", "floor.py", "bare socket + JSON", floor="json"),
    "each": End("python", "floor.py", "bare socket + JSON, a call each", floor="each"),
    "loop": End("python", "floor.py", "bare socket in asyncio", floor="loop"),
    "uvloop": End("uvloop", "floor.py", "bare socket in uvloop", floor="loop"),
    "pipe": End("python", "pipe.py", "multiprocessing.Pipe"),
}


SPEAKING = ("node", "node26", "py", "aio", "uv", "pipe")
"""The ends that have the values of the mode ``advanced``; Bun and Deno speak it with themselves or with holes."""

# A bare socket in Python's place shows the limit of Node's end.
FLOORS = tuple(name for name, end in ENDS.items() if end.floor)


@dataclass(frozen=True)
class Pair:
    """A parent and its child.

    Attributes:
        parent, child: keys of `ENDS`.
        many: whether Python ends give the channel many messages in a single call.
    """

    parent: str
    child: str
    many: bool = False

    @property
    def name(self) -> str:
        """The name in results and for `--pairs`, for example ``node-py`` or ``py-py+many``."""
        return f"{self.parent}-{self.child}{'+many' * self.many}"

    @property
    def title(self) -> str:
        """How tables call it."""
        parent, child = ENDS[self.parent].title, ENDS[self.child].title
        both = f"{parent} ↔ {child}" if parent != child else f"{parent}, both ends"
        return f"{both}{', many at once' * self.many}"

    @property
    def runtimes(self) -> set[str]:
        """The programs that must be there to run it."""
        return {ENDS[self.parent].runtime, ENDS[self.child].runtime}

    def can(self, scenario: Scenario) -> bool:
        """Whether the pair can do it at all."""
        ends = {self.parent, self.child}
        if scenario.serialization != "json" and not ends <= set(SPEAKING):
            return False
        if "node26" in ends and scenario.serialization == "json":
            return False
        if self.many and scenario.form == "buffer":
            return False
        sender = self.child if scenario.kind == "up" else self.parent
        if self.many:
            several = SIZES.get(scenario.size, BATCH_BYTES) < BATCH_BYTES
            return scenario.kind in ("up", "down") and several and sender in ("py", "aio", "uv")
        if scenario.kind == "start":
            return all(ENDS[end].hello for end in ends)
        if scenario.handles:
            return not ends & {"each", "pipe"}
        if "node" not in ends:
            return True
        if "each" in ends:  # a call for each message matters to its sender, where messages are small
            return sender == "each" and scenario.size == "64" and scenario.kind in ("up", "down")
        return not ends & {"json", "loop", "uvloop"}


def _pairs() -> list[Pair]:
    python = ("py", "aio", "uv")
    found = [
        Pair("node", "node"),
        Pair("node26", "node26"),
        Pair("node", "tap"),
        *(Pair("node", end) for end in python),
        *(Pair(end, "node") for end in python),
    ]
    found += [Pair(end, end) for end in (*python, "bun", "deno", "pipe", "raw", "json", "each")]
    found += [Pair(*ends) for end in FLOORS for ends in (("node", end), (end, "node"))]
    found += [Pair(*ends, many=True) for end in python for ends in (("node", end), (end, "node"), (end, end))]
    return found


PAIRS = _pairs()
