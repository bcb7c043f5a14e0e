"""The remedy in the error of a program without a channel."""

from __future__ import annotations

import pytest

from nodechannel._dialects.remedy import remedy
from nodechannel.errors import BadChannelFd, NoChannel


def test_an_error_without_a_hint_gets_the_remedy():
    with pytest.raises(NoChannel, match="; set `ipc`") as caught, remedy("set `ipc`"):
        raise NoChannel
    assert caught.value.hint == "set `ipc`"
    assert caught.value.__cause__ is None


def test_an_error_that_knows_more_stays_as_it_is():
    error = NoChannel("the channel is elsewhere")
    with pytest.raises(NoChannel) as caught, remedy("set `ipc`"):
        raise error
    assert caught.value is error


def test_other_errors_pass():
    with pytest.raises(BadChannelFd), remedy("set `ipc`"):
        raise BadChannelFd("x", "not a descriptor number")
