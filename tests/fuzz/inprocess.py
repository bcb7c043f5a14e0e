"""Searches in a single process: the reference against itself, and its reader of JSON against Node's."""

from __future__ import annotations

import os
import random
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from fuzz import acts, frames, mutations, texts
from fuzz.machine import Machine, MemoryMachine, SocketMachine
from fuzz.primary import primary
from fuzz.scheduled import scheduled
from fuzz.surroundings import forks, surroundings
from nodechannel._core.connection import Connection
from nodechannel._core.message import Message
from nodechannel._json import exact, writing
from nodechannel._json import loader as values
from nodechannel._json.serialization import JsonSerialization
from nodechannel._transport.owned import OwnedFd
from nodechannel.errors import InvalidJson
from property.jsonvalues import MESSAGES, flat, javascript_scalar, python_scalar, sent_scalar
from property.test_json_node import Oracle, running_node

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis import settings

    from fuzz.frames import Frame

    Test = Callable[[], None]
    Tick = Test

STREAMS = st.lists(
    frames.good(frozenset()) | frames.BAD | acts.envelope_frame("net.Socket", 1), min_size=1, max_size=6
)


# ---- the same bytes, cut differently ----------------------------------------------------------------------


def events_of(pieces: list[bytes], riding: int | None) -> tuple[list[str], bytes, int]:
    """Feed a connection; return its events, the bytes that it would write, and the number of its handles."""
    connected = Connection(JsonSerialization())
    told = []
    handles = 0
    for index, piece in enumerate(pieces):
        fds = [OwnedFd(os.open(os.devnull, os.O_RDONLY))] if index == riding else []
        connected.receive_data(piece, fds)
        while connected.events:
            event = connected.events.popleft()
            if isinstance(event, Message):
                told.append(" ".join(flat(event.data, python_scalar)))
                if event.handle is not None:
                    handles += 1
                    event.handle.close()
            else:
                told.append(f"{type(event).__name__} {getattr(event, 'line', b'')!r}")
    written = b""
    while connected.outbox.size:
        data, _fd = connected.outbox.gather()
        written += bytes(data)
        connected.written(len(data))
    connected.close()
    return told, written, handles


def cuts(profile: settings, tick: Tick) -> Test:
    """The same bytes cut differently give the same events, answers and handles."""

    @profile
    @given(STREAMS, st.data())
    def one(drawn: list[Frame], data: st.DataObject) -> None:
        tick()
        stream = b"".join(frame.line + b"\n" for frame in drawn)
        places = data.draw(acts.places(stream))
        edges = sorted({0, *places, len(stream)})
        envelope = next((number for number, frame in enumerate(drawn) if frame.kind == "NODE_HANDLE"), None)
        start = None if envelope is None else sum(frame.size for frame in drawn[:envelope])
        if start is None:
            whole = events_of([stream], None)
        else:
            edges = sorted({*edges, start})
            parts = [part for part in (stream[:start], stream[start:]) if part]
            whole = events_of(parts, len(parts) - 1)
        pieces = [stream[a:b] for a, b in pairwise(edges)]
        riding = None if start is None else [edge for edge in edges if edge < len(stream)].index(start)
        assert events_of(pieces, riding) == whole

    return one


# ---- three readers and writers of JSON --------------------------------------------------------------------

LINES = (frames.good(frozenset()) | frames.BAD).map(lambda frame: frame.line) | frames.damaged()


def _read(decode: Callable[[bytes], Any], line: bytes) -> str:
    try:
        return " ".join(flat(decode(line), python_scalar))
    except InvalidJson:
        return "refused"


def json_paths(profile: settings, tick: Tick) -> Test:
    """The fast path and the exact path read and write the same, with a single value at a time or with many."""

    @profile
    @given(
        st.lists(LINES.filter(lambda line: b"\n" not in line), min_size=1, max_size=5),
        st.lists(MESSAGES, min_size=1, max_size=5),
    )
    def one(lines: list[bytes], messages: list[object]) -> None:
        tick()
        expected = [_read(exact.decode, line) for line in lines]
        assert [_read(values.decode, line) for line in lines] == expected
        try:
            together = [" ".join(flat(value, python_scalar)) for value in values.decode_lines(lines)]
        except InvalidJson:
            together = ["refused"]
        assert together == (["refused"] if "refused" in expected else expected)
        meant = [flat(message, sent_scalar) for message in messages]
        for frames_of_all in (
            b"".join(writing.encode_many(messages)),
            b"".join(values.encode_many(messages)),
            b"".join(map(values.encode, messages)),
        ):
            *found, rest = frames_of_all.split(b"\n")
            assert [flat(exact.decode(line), sent_scalar) for line in found] == meant
            assert rest == b""

    return one


def json_node(profile: settings, tick: Tick) -> Test:
    """Node's own JSON.parse agrees with the reference, about lines that it reads and about lines that it writes."""

    def all_of_it() -> None:
        with running_node() as oracle:
            _against(oracle, profile, tick)

    return all_of_it


def _against(oracle: Oracle, profile: settings, tick: Tick) -> None:
    @profile
    @given(
        st.lists(LINES.filter(lambda line: b"\n" not in line), min_size=1, max_size=20),
        st.lists(MESSAGES, max_size=10),
    )
    def one(lines: list[bytes], messages: list[object]) -> None:
        tick()
        written = [values.encode(message)[:-1] for message in messages]
        answers = oracle.ask([*lines, *written])
        for line, answer in zip(lines, answers, strict=False):
            try:
                mine = flat(values.decode(line), javascript_scalar)
            except InvalidJson:
                mine = None
            assert mine == answer, line
            assert texts.read(line)[0] is (answer is not None), f"the kit reads {line!r} otherwise"
        for message, answer in zip(messages, answers[len(lines) :], strict=True):
            assert answer == flat(message, sent_scalar)

    one()


# ---- frames of advanced mode --------------------------------------------------------------------------------

FRAMES_AN_EXAMPLE = 200


def advanced_frames(profile: settings, tick: Tick) -> Test:
    """A broken frame has a value or a typed error, and both readers agree on it."""

    def all_of_it() -> None:
        frames = mutations.broken(1 if profile.derandomize else random.getrandbits(32))
        for _ in range(profile.max_examples):
            tick()
            for frame in islice(frames, FRAMES_AN_EXAMPLE):
                mutations.examine(frame)

    return all_of_it


# ---- machines ---------------------------------------------------------------------------------------------


def machine(kind: type[Machine]) -> Callable[[settings, Tick], Test]:
    """Return the function that runs a machine."""

    def make(profile: settings, tick: Tick) -> Test:
        class Counted(kind):  # type: ignore[valid-type, misc]
            def teardown(self) -> None:
                super().teardown()
                tick()

        return lambda: run_state_machine_as_test(Counted, settings=profile)

    return make


PROPERTIES: dict[str, Callable[[settings, Tick], Test]] = {
    "cuts": cuts,
    "json-paths": json_paths,
    "json-node": json_node,
    "advanced-frames": advanced_frames,
    "primary": primary,
    "scheduled": scheduled,
    "surroundings": surroundings,
    "forks": forks,
    "machine-memory": machine(MemoryMachine),
    "machine-sockets": machine(SocketMachine),
}
