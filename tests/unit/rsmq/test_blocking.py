"""The blocking front end of `rsmq`."""

from __future__ import annotations

import pytest

from nodechannel import errors, rsmq


def test_the_words_of_a_queue(url, key):
    with rsmq.queue(url, key) as queue:
        queue.create(vt=5, maxsize=-1)
        assert key in rsmq.list_queues(url)
        with pytest.raises(rsmq.QueueError, match="exists"):
            queue.create()
        assert queue.set_attributes(delay=0, vt=0)[:3] == (0, 0, -1)
        id = queue.send("é")
        assert queue.receive(timeout=20, vt=0).message == "é"
        assert queue.pop(timeout=20)[:3] == (id, "é", 2)
        assert not queue.delete(id)
        queue.drop()
        with pytest.raises(rsmq.QueueError, match="not found"):
            queue.attributes()
    with pytest.raises(errors.ChannelClosed):
        queue.send("late")
