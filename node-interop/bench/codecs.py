"""The codec of the mode ``advanced`` beside `v8serialize`, without a channel: processor time for the same values."""

from __future__ import annotations

import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import v8serialize

from bench.plan import Scenario
from bench.targets import Verdict, at_least, at_most
from nodechannel._advanced.decode import decode
from nodechannel._advanced.encode import encode
from nodechannel._advanced.framing import LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MESSAGES = {
    "an object of 64 B": Scenario("up", "64", form="object"),
    "a nested message of 1 KiB": Scenario("up", "1k", nested=True),
}
MEGABYTE = 1 << 20


def verdicts(rounds: int = 5, seconds: float = 0.2) -> Iterator[Verdict]:
    """Yield the verdicts: each codec in turn, the median of the ratios of a round."""
    for name, scenario in MESSAGES.items():
        value = scenario.payload()
        frame = encode(value)[LENGTH:]
        calls: tuple[tuple[str, Callable[[], object], Callable[[], object]], ...] = (
            ("written", partial(encode, value), partial(v8serialize.dumps, _foreign(value))),
            ("read", partial(decode, frame), partial(v8serialize.loads, frame)),
        )
        for what, ours, theirs in calls:
            times = median(_cost(theirs, seconds) / _cost(ours, seconds) for _ in range(rounds))
            yield from at_least(10, f"advanced, {name} {what}", "× v8serialize", times)
    half, whole = (bytes(size * MEGABYTE) for size in (32, 64))
    for what, act in (("written", encode), ("read", lambda data: decode(encode(data)[LENGTH:]))):
        times = median(_once(act, whole) / _once(act, half) for _ in range(rounds))
        yield from at_most(2.5, f"advanced, bytes of 64 MiB {what}", "× those of 32 MiB", times)


def _foreign(value: Any) -> Any:
    """Return a value with the objects and arrays of v8serialize, which writes a dict as a Map."""
    if isinstance(value, dict):
        return v8serialize.jstypes.JSObject({name: _foreign(member) for name, member in value.items()})
    return v8serialize.jstypes.JSArray(map(_foreign, value)) if isinstance(value, list) else value


def _cost(act: Callable[[], object], seconds: float) -> float:
    """Return the seconds of processor time of a call."""
    count, began = 0, time.process_time()
    while (spent := time.process_time() - began) < seconds:
        act()
        count += 1
    return spent / count


def _once(act: Callable[[bytes], object], data: bytes) -> float:
    began = time.process_time()
    act(data)
    return time.process_time() - began
