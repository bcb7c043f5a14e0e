"""Messages and the end of the channel, for both front ends, against a raw socket."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from nodechannel import errors
from nodechannel._core.delivery import DeliveryState


def read_exactly(sock: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = sock.recv(min(count - len(data), 1 << 20))
        assert piece, f"the stream ended after {len(data)} of {count} bytes"
        data += piece
    return bytes(data)


def test_messages_both_ways(channel, peer):
    channel.send({"a": 1})
    channel.send("two")
    channel.flush()
    assert read_exactly(peer, 14) == b'{"a":1}\n"two"\n'
    peer.sendall(b'1\n{"b":[null]}\n')
    assert channel.receive(timeout=5).data == 1
    assert channel.receive(timeout=5).data == {"b": [None]}


def test_many_messages_leave_in_order_with_those_before_and_after(channel, peer):
    channel.send("first")
    delivery = channel.send_many({"n": number} for number in range(3))
    channel.send("last")
    channel.flush()
    assert peer.recv(1000) == b'"first"\n{"n":0}\n{"n":1}\n{"n":2}\n"last"\n'
    assert delivery.state is DeliveryState.WRITTEN


@pytest.mark.parametrize(
    ("bad", "path"), [({"a": object()}, "$[1].a"), ({"cmd": "NODE_X"}, "$[1].cmd"), (b"", "$[1]")]
)
@pytest.mark.rule("CLS-005")
def test_of_many_messages_none_is_sent_if_one_is_refused(channel, peer, bad, path):
    with pytest.raises(errors.InvalidMessage) as caught:
        channel.send_many([1, bad, 2])
    assert caught.value.path == path
    channel.send("end")
    channel.flush()
    assert peer.recv(1000) == b'"end"\n'


def test_no_messages_at_all_are_written_at_once(channel, peer):
    assert channel.send_many([]).state is DeliveryState.WRITTEN
    channel.send("end")
    channel.flush()
    assert peer.recv(1000) == b'"end"\n'


def test_more_messages_than_every_buffer_holds_are_written_completely(channel, peer):
    count = 100_000
    reader = threading.Thread(target=lambda: read.append(read_exactly(peer, count * 23)))
    read: list[bytes] = []
    reader.start()
    channel.send_many("x" * 20 for _ in range(count))
    channel.flush()
    reader.join()
    assert read == [b'"xxxxxxxxxxxxxxxxxxxx"\n' * count]


def test_many_messages_to_a_peer_that_does_not_read_give_up_after_their_time(channel, peer):
    with pytest.raises(errors.SendTimeout) as caught:
        channel.send_many(["x" * 1000] * 1000, timeout=0.05)
    assert caught.value.delivery.state is DeliveryState.QUEUED
    reader = threading.Thread(target=read_exactly, args=(peer, 1000 * 1003))
    reader.start()
    channel.flush()
    reader.join()
    assert caught.value.delivery.state is DeliveryState.WRITTEN


def test_many_messages_cannot_be_sent_after_the_end(channel, peer):
    channel.disconnect()
    with pytest.raises(errors.ChannelClosed):
        channel.send_many([1, 2])


def test_all_messages_that_were_read_are_received_at_once(channel, peer):
    peer.sendall(b"".join(b"%d\n" % number for number in range(1000)) + b"10")
    received = channel.receive_many(timeout=5)
    assert [message.data for message in received] == list(range(1000))
    assert {message.handle for message in received} == {None}
    peer.sendall(b"00\n1001\n")
    assert [message.data for message in channel.receive_many()] == [1000, 1001]


@pytest.mark.rule("FRM-026")
def test_an_error_divides_the_messages_that_are_received_at_once(channel, peer):
    peer.sendall(b'1\n2\n]\n{"cmd":"NODE_HANDLE_ACK"}\n3\n[\n')
    assert [message.data for message in channel.receive_many(timeout=5)] == [1, 2]
    with pytest.raises(errors.InvalidJson):
        channel.receive_many()
    with pytest.raises(errors.UnexpectedAck):
        channel.receive()
    assert [message.data for message in channel.receive_many()] == [3]
    with pytest.raises(errors.InvalidJson):
        channel.receive_many()
    with pytest.raises(TimeoutError):
        channel.receive_many(timeout=0.05)


def test_the_last_messages_are_received_at_once_after_the_end(channel, peer):
    peer.sendall(b"1\n2\n")
    peer.close()
    assert [message.data for message in channel.receive_many()] == [1, 2]
    for _ in range(2):
        with pytest.raises(errors.ChannelClosed):
            channel.receive_many()


def test_receiving_at_once_goes_on_however_much_was_sent(channel, peer):
    count = 50_000
    writer = threading.Thread(target=peer.sendall, args=(b'"x"\n' * count,))
    writer.start()
    left = count
    while left:
        left -= len(channel.receive_many(timeout=20))
    writer.join()


def test_iteration_ends_with_the_channel(channel, peer):
    peer.sendall(b"1\n2\n3\n")
    peer.close()
    assert [message.data for message in channel] == [1, 2, 3]
    with pytest.raises(errors.ChannelClosed):
        channel.receive()


def test_receive_gives_up_after_its_time(channel, peer):
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        channel.receive(timeout=0.05)
    assert time.monotonic() - begin < 5
    peer.sendall(b"1\n")
    assert channel.receive(timeout=5).data == 1


def test_receive_with_no_time_at_all_returns_what_is_there(channel, peer):
    with pytest.raises(TimeoutError):
        channel.receive(timeout=0)
    peer.sendall(b"1\n2\n")
    assert channel.receive(timeout=5).data == 1
    assert channel.receive(timeout=0).data == 2


def test_looking_without_waiting_reads_the_socket(channel, peer):
    peer.sendall(b"1\n")
    assert channel.receive(timeout=0).data == 1
    with pytest.raises(TimeoutError):
        channel.receive(timeout=0)


def test_a_bad_line_is_raised_in_its_place_and_the_channel_goes_on(channel, peer):
    peer.sendall(b"1\nbad\n2\n")
    assert channel.receive(timeout=5).data == 1
    with pytest.raises(errors.InvalidJson, match="bad"):
        channel.receive(timeout=5)
    assert channel.receive(timeout=5).data == 2
    channel.send("still here")


def test_a_message_larger_than_every_buffer_is_written_completely(api, channel, peer):
    text = "x" * (8 << 20)
    reader = threading.Thread(target=lambda: read.append(read_exactly(peer, len(text) + 3)))
    read: list[bytes] = []
    reader.start()
    channel.send(text)
    channel.flush()
    reader.join()
    assert read[0] == b'"' + text.encode() + b'"\n'


def test_a_message_arrives_one_byte_at_a_time(channel, peer):
    def trickle():
        for byte in '{"é":"😀"}\n'.encode():
            peer.sendall(bytes([byte]))

    writer = threading.Thread(target=trickle)
    writer.start()
    assert channel.receive(timeout=10).data == {"é": "😀"}
    writer.join()


def test_a_peer_that_dies_in_mid_frame(channel, peer):
    peer.sendall(b'{"whole":1}\n{"half')
    peer.close()
    assert channel.receive(timeout=5).data == {"whole": 1}
    with pytest.raises(errors.ChannelClosed):
        channel.receive(timeout=5)


def test_a_half_close_is_a_close(channel, peer):
    peer.shutdown(socket.SHUT_WR)
    with pytest.raises(errors.ChannelClosed):
        channel.receive(timeout=5)
    assert not channel.connected
    assert peer.recv(1) == b""


def test_a_peer_that_is_gone_is_noticed_by_send(api, channel, peer):
    peer.close()
    with pytest.raises(errors.ChannelClosed):
        for _ in range(3):
            channel.send(1)
            channel.flush()


def test_what_a_dead_peer_wrote_can_still_be_read_after_a_failed_send(channel, peer):
    peer.sendall(b'"testament"\n')
    peer.close()
    with pytest.raises(errors.ChannelClosed):
        for _ in range(3):
            channel.send(1)
            channel.flush()
    assert channel.receive(timeout=5).data == "testament"
    with pytest.raises(errors.ChannelClosed):
        channel.receive(timeout=5)


def test_what_a_peer_wrote_is_read_even_if_it_left_bytes_of_ours_unread(channel, peer):
    channel.send("unread")
    channel.flush()
    peer.sendall(b'"last"\n')
    peer.close()  # resets the connection, because bytes were left
    assert channel.receive(timeout=5).data == "last"
    with pytest.raises(errors.ChannelClosed):
        channel.receive(timeout=5)


def test_disconnect_delivers_what_is_queued_and_then_ends(channel, peer):
    channel.send("last")
    channel.disconnect(timeout=5)
    assert not channel.connected
    assert read_exactly(peer, 7) == b'"last"\n'
    assert peer.recv(1) == b""
    with pytest.raises(errors.ChannelClosed, match="send"):
        channel.send(1)
    with pytest.raises(errors.ChannelClosed):
        channel.flush()
    channel.disconnect()


def test_messages_that_arrived_before_disconnect_stay_readable(channel, peer):
    peer.sendall(b"1\n2\n")
    assert channel.receive(timeout=5).data == 1
    channel.disconnect(timeout=5)
    assert channel.receive(timeout=5).data == 2
    with pytest.raises(errors.ChannelClosed):
        channel.receive(timeout=5)


def test_disconnect_does_not_wait_for_ever(channel, peer):
    text = "x" * (4 << 20)
    with pytest.raises(errors.SendTimeout):
        channel.send(text, timeout=0.05)
    with pytest.raises(TimeoutError):
        channel.disconnect(timeout=0.05)
    assert not channel.connected
    assert channel.fileno() == -1


def test_a_message_that_timed_out_is_still_delivered(channel, peer):
    text = "x" * (4 << 20)
    with pytest.raises(errors.SendTimeout) as caught:
        channel.send(text, timeout=0.05)
    assert caught.value.delivery.state is DeliveryState.QUEUED
    frames: list[bytes] = []
    reader = threading.Thread(target=lambda: frames.append(read_exactly(peer, len(text) + 3 + 8)))
    reader.start()
    channel.send("after")
    channel.flush(timeout=20)
    reader.join()
    assert frames[0] == b'"' + text.encode() + b'"\n"after"\n'
    assert caught.value.delivery.state is DeliveryState.WRITTEN


def test_close_ends_at_once_and_twice(channel, peer):
    peer.sendall(b"1\n")
    channel.close()
    channel.close()
    with pytest.raises(errors.ChannelClosed):
        channel.receive()
    with pytest.raises(errors.ChannelClosed):
        channel.send(1)
    assert channel.fileno() == -1


def test_the_context_manager_disconnects(channel, peer):
    with channel:
        channel.send("in the block")
    assert read_exactly(peer, 15) == b'"in the block"\n'
    assert peer.recv(1) == b""


def test_the_context_manager_closes_when_the_block_fails(channel, peer):
    with pytest.raises(KeyError), channel:
        raise KeyError
    assert peer.recv(1) == b""


@pytest.mark.parametrize(("count", "size"), [(50, 100_000), (3000, 1000)])
def test_two_ends_that_send_before_they_receive_do_not_block_each_other(api, count, size):
    ours, theirs = socket.socketpair()
    ends = [api.channel(ours), api.channel(theirs)]
    text = "x" * size
    received: list[list[str]] = []

    def talk(end):
        for _ in range(count):
            end.send(text)
        received.append([end.receive(timeout=30).data for _ in range(count)])

    threads = [threading.Thread(target=talk, args=(end,)) for end in ends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for end in ends:
        end.close()
    assert received == [[text] * count] * 2


def test_a_refused_message_writes_nothing(channel, peer):
    with pytest.raises(errors.InvalidMessage) as caught:
        channel.send({"a": [1, {2: 3}]})
    assert caught.value.path == "$.a[1]"
    with pytest.raises(errors.InvalidMessage):
        channel.send(2**53 + 1)
    channel.send("fine")
    channel.flush()
    assert read_exactly(peer, 7) == b'"fine"\n'


def test_unsafe_integers_are_sent_when_asked_for(api):
    ours, theirs = socket.socketpair()
    with theirs, api.channel(ours, unsafe_integers=True) as channel:
        channel.send(2**53 + 1)
        channel.flush()
        assert read_exactly(theirs, 17) == b"9007199254740993\n"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.rule("JSN-002")
def test_nan_is_null_unless_it_is_not_allowed(api, number):
    ours, theirs = socket.socketpair()
    with theirs, api.channel(ours, allow_nan=False) as channel:
        with pytest.raises(errors.InvalidMessage) as caught:
            channel.send({"a": [None, number]})
        assert caught.value.path == "$.a[1]"
        with pytest.raises(errors.InvalidMessage):
            channel.send_many([None, number])
        channel.send([None, "null", 1.5])
        channel.flush()
        assert theirs.recv(100) == b'[null,"null",1.5]\n'


@pytest.mark.rule("SEC-002")
def test_the_longest_line_can_be_limited(api):
    ours, theirs = socket.socketpair()
    with theirs, api.channel(ours, max_line=10) as channel:
        theirs.send(b'"12345678"\n"123456789"\n')
        assert channel.receive(timeout=5).data == "12345678"
        with pytest.raises(errors.LineTooLong):
            channel.receive(timeout=5)


def test_options_of_the_channel_can_be_given_to_spawn(api):
    with api.spawn(["sleep", "60"], allow_nan=False, unsafe_integers=True, max_line=100) as child:
        with pytest.raises(errors.InvalidMessage):
            child.send(float("nan"))
        child.send(2**60)
        child.kill()
