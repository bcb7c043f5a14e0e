"""A primary under hostile and dying workers, callbacks that raise or wait, and workers that do not read; see `virtual`."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from fuzz.virtual import World, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis import settings

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        -1,
        2**31,
        2**32,
        2**60,
        1.5,
        1e300,
        "",
        "x",
        "a..b",
        "a" * 64,
        "\ud800",
        "127.0.0.1\0",
        [],
        [4],
        {},
    ]
)
QUESTIONS = st.dictionaries(
    st.sampled_from(["address", "port", "addressType", "index", "flags", "backlog", "data", "fd"]),
    ODD,
    max_size=2,
)

ACTS = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 3), QUESTIONS),
    st.tuples(st.just("again"), st.integers(0, 3), st.integers(1, 5)),
    st.tuples(st.just("talk"), st.integers(0, 3), st.sampled_from([1, 50, 1500])),
    st.tuples(st.just("talk and ask"), st.integers(0, 3), st.just(1500)),
    st.tuples(st.just("die"), st.integers(0, 3), st.sampled_from([0, 3, -9])),
    st.tuples(st.just("stop reading"), st.integers(0, 3), st.none()),
    st.tuples(st.just("read on"), st.integers(0, 3), st.none()),
    st.tuples(
        st.just("rubbish"),
        st.integers(0, 3),
        st.dictionaries(st.sampled_from(["act", "ack", "key", "accepted"]), ODD),
    ),
    st.tuples(st.just("connect"), st.integers(0, 3), st.none()),
    st.tuples(st.just("pass by"), st.just(0), st.sampled_from([0.05, 2.0])),
)


def primary(profile: settings, tick: Callable[[], None]) -> Callable[[], None]:
    """In every run: all questions are answered, dead workers are replaced, no message is lost, all connections are accepted."""

    @profile
    @given(
        st.integers(0, 2**32),
        st.lists(ACTS, max_size=12),
        st.booleans(),
        st.sampled_from(["", "fork", "online", "listening", "exit", "restart", "error"]),
        st.sampled_from([0.0, 0.001, 3600.0]),
    )
    def test(
        seed: int, plan: list[tuple[str, int, Any]], relay: bool, event_raises: str, wait: float
    ) -> None:
        tick()
        world = World(2, relay=relay, event_raises=event_raises, wait=wait)

        async def act(world: World) -> None:
            clients = [client for step in plan if (client := await _carry_out(world, step))]
            try:
                await _judge(world, wait)
            finally:
                for client in clients:
                    client.close()

        run(seed, world, act)
        assert {type(error) for error in world.errors} <= {BrokenPipeError}, world.errors

    return test


async def _carry_out(world: World, step: tuple[str, int, Any]) -> socket.socket | None:
    """Do a step; return the client of a connection."""
    name, number, detail = step
    client = None
    alive = world.alive
    peer = alive[number % len(alive)] if alive else None
    if name == "pass by":
        await world.pass_by(detail)
    elif name == "connect":
        places = [one for one in world.cluster._primary.places.values() if one.sockname]
        if places:
            client = socket.create_connection(("127.0.0.1", places[0].sockname["port"]))  # type: ignore[index]
    elif peer is not None:
        if name == "ask":
            peer.ask(**detail)
        elif name == "again":
            peer.ask(port=0, index=detail)
        elif name == "talk":
            peer.talk(detail)
        elif name == "talk and ask":
            peer.talk(detail)
            peer.ask(port=0, index=9)
        elif name == "die":
            peer.die(detail)
        elif name == "rubbish":
            peer.say(**detail)
        else:
            peer.reads = name == "read on"
    await world.turn()
    return client


async def _judge(world: World, wait: float) -> None:
    for peer in world.peers:
        peer.reads = True
    # Longer than the longest delay until a dead worker is replaced.
    await world.pass_by(30.0)
    assert len(world.alive) == 2, f"{len(world.alive)} of 2 workers run"
    for peer in world.alive:
        assert not peer.asked, f"worker {peer.id} has no answer to {peer.asked}"
    for place in world.cluster._primary.places.values():
        held = place.scheduler.waiting + place.scheduler.unanswered
        assert not (place.workers and held), f"{held} connections wait at {place.key}"
    if wait < 1:
        for peer in world.alive:
            got = world.handled.get(peer.id, [])
            assert got == list(range(len(got))), "messages in another order"
            assert len(got) == peer.sent, f"{peer.sent - len(got)} messages of worker {peer.id} were lost"
