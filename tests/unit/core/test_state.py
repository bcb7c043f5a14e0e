"""The tables: every pair of state and input is either listed or refused, and every state can be left for the end."""

from nodechannel._core.state import CHANNEL, HAND_OVER, Channel, ChannelInput, HandOver, HandOverInput


def test_every_state_and_input_of_the_channel_is_used():
    assert {state for state, _ in CHANNEL} == set(Channel)
    assert {what for _, what in CHANNEL} == set(ChannelInput)


def test_every_channel_state_leads_to_closed_and_closed_leads_nowhere():
    assert all(CHANNEL[state, ChannelInput.CLOSE] is Channel.CLOSED for state in Channel)
    assert {to for (state, _), to in CHANNEL.items() if state is Channel.CLOSED} == {Channel.CLOSED}


def test_only_an_open_channel_sends():
    assert [state for state, what in CHANNEL if what is ChannelInput.SEND] == [Channel.OPEN]


def test_every_state_and_input_of_the_hand_over_is_used():
    assert {state for state, _ in HAND_OVER} == set(HandOver)
    assert {what for _, what in HAND_OVER} == set(HandOverInput)


def test_an_acknowledgement_counts_only_for_a_handle_that_is_completely_written():
    assert [state for state, what in HAND_OVER if what is HandOverInput.ACK] == [HandOver.AWAITING]
    assert [state for state, what in HAND_OVER if what is HandOverInput.NACK] == [HandOver.AWAITING]
