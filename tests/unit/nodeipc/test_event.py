"""An event, as a receiver gets it."""

from __future__ import annotations

import pytest

from nodechannel._nodeipc.event import Event, note_id


class Peer:
    id = None


def test_events_compare_by_all_that_they_have():
    peer = object()
    assert Event("a", [1], peer) == Event("a", [1], peer)
    for other in (Event("b", [1], peer), Event("a", [2], peer), Event("a", [1]), "a"):
        assert Event("a", [1], peer) != other
    assert repr(Event("a", {"b": 1}, peer)) == "Event('a', {'b': 1})"


def test_an_event_fits_a_pattern():
    match Event("a", 5):
        case Event("a", data):
            assert data == 5
        case _:
            pytest.fail("the pattern does not fit")


@pytest.mark.parametrize(
    ("data", "id"),
    [({"id": "x"}, "x"), ({"id": 0}, "old"), ({"id": ""}, "old"), ({}, "old"), ("x", "old"), (None, "old")],
)
@pytest.mark.rule("NIP-040")
def test_a_peer_is_called_by_the_last_id_in_its_data(data, id):
    peer = Peer()
    note_id(peer, {"id": "old"})
    note_id(peer, data)
    assert peer.id == id
