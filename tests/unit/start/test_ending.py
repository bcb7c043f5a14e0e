"""The end of a child, in words."""

from __future__ import annotations

import signal

import pytest

from nodechannel._start.ending import signal_name, warn_of_loss


@pytest.mark.parametrize(
    ("code", "name"),
    [(None, None), (0, None), (3, None), (-signal.SIGKILL, "SIGKILL"), (-signal.SIGTERM, "SIGTERM"), (-40, "SIG40")],
)  # fmt: skip
def test_a_return_code_below_zero_is_a_signal(code, name):
    assert signal_name(code) == name


def test_the_loss_is_told_with_its_size_and_its_cause():
    with pytest.warns(RuntimeWarning, match="4711 bytes of messages were not delivered.*`linger`"):
        warn_of_loss(4711)
