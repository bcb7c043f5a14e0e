"""`nodechannel.rsmq` with npm `rsmq` at the same queue of a real Redis."""

from __future__ import annotations

import asyncio
import os
import re
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

import nodechannel
from nodechannel import rsmq
from nodechannel.rsmq import asyncio as aio
from support.node import node
from support.redis import Redis

pytestmark = pytest.mark.package("rsmq", "producer or consumer", "`nodechannel.rsmq`", channel=False)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Carries out the calls of the test, and answers with the result or the name of the error.
PROGRAM = """
    const RSMQ = require('rsmq');
    const queue = new RSMQ({ host: '127.0.0.1', port: +process.argv[2], realtime: true });
    process.on('message', ([method, options]) => queue[method](...(options.qname ? [options] : []))
      .then((value) => process.send({ value }), (error) => process.send({ error: error.name })));
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with Redis() as redis:
        yield redis


@pytest.fixture
def url(server):
    return f"redis://127.0.0.1:{server.port}"


@pytest.fixture
def name(request):
    """A queue for this test alone."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", request.node.name)


@pytest.fixture
def npm(server, packages, script):
    """Calls of npm `rsmq` in a Node process."""
    program = script("program.cjs", PROGRAM)
    (program.parent / "node_modules").symlink_to(packages / "node_modules")
    with nodechannel.fork(program, str(server.port), exec_path=node()) as child:

        def call(method: str, **options: Any) -> Any:
            child.send([f"{method}Async", options])
            answer = child.receive(timeout=20).data
            return answer["value"] if "value" in answer else f"error {answer['error']}"

        yield call
        child.kill()


@pytest.mark.rule("RSM-010", "RSM-014")
def test_a_message_from_node_and_back(npm, url, name):
    assert npm("createQueue", qname=name, vt=7, maxsize=2000) == 1
    with rsmq.queue(url, name) as queue:
        sent = npm("sendMessage", qname=name, message="é😀\u2028")
        message = queue.receive(timeout=5)
        assert (message.id, message.message, message.rc) == (sent, "é😀\u2028", 1)
        assert abs(message.sent - message.fr) < 5000
        assert queue.delete(message.id)
        assert not queue.delete(message.id)
        id = queue.send("from Python")
        found = npm("receiveMessage", qname=name)
        assert (found["id"], found["message"], found["rc"]) == (id, "from Python", 1)
        assert abs(found["sent"] - found["fr"]) < 5000
        assert npm("deleteMessage", qname=name, id=id) == 1
        queue.send("popped")
        assert npm("popMessage", qname=name)["message"] == "popped"
        npm("sendMessage", qname=name, message="")
        assert queue.pop(timeout=5).message == ""


@pytest.mark.rule("RSM-010")
def test_both_make_the_same_keys(npm, url, name, server):
    with rsmq.queue(url, f"{name}1") as queue:
        queue.create(vt=5, delay=0, maxsize=-1)
        npm("createQueue", qname=f"{name}2", vt=5, delay=0, maxsize=-1)
        queue.send("x")
        npm("sendMessage", qname=f"{name}2", message="x")
        ids = [queue.receive(timeout=5).id, npm("receiveMessage", qname=f"{name}2")["id"]]
        shown = [dump(url, f"rsmq:{name}{number}", ids[number - 1]) for number in (1, 2)]
        assert shown[0] == shown[1]
        assert len(shown[0]) == 10
        assert {f"{name}1", f"{name}2"} <= set(rsmq.list_queues(url)) == set(npm("listQueues"))


def dump(url: str, key: str, id: str) -> dict[str, str]:
    """The fields of a queue, with its message under a name of its own and its digits replaced."""
    import redis

    with redis.Redis.from_url(url, decode_responses=True) as connection:
        assert connection.zrange(key, 0, -1) == [id]
        fields = dict(connection.hgetall(f"{key}:Q"))
    assert fields["created"] == fields["modified"]
    return {name.replace(id, "ID"): re.sub(r"\d{10,}", "TIME", value) for name, value in fields.items()}


def test_attributes_have_the_same_names_and_values(npm, url, name):
    with rsmq.queue(url, name) as queue:
        queue.create()
        queue.send("a", delay=100)
        queue.send("b")
        time.sleep(1.1)  # the running second counts as hidden
        shown = queue.attributes()
        assert shown._asdict() == npm("getQueueAttributes", qname=name)
        assert (shown.vt, shown.maxsize, shown.msgs, shown.hiddenmsgs, shown.totalsent) == (
            30,
            65536,
            2,
            1,
            2,
        )
        assert queue.set_attributes(vt=3, maxsize=1024).vt == 3
        assert npm("getQueueAttributes", qname=name)["maxsize"] == 1024
        queue.drop()
        assert npm("getQueueAttributes", qname=name) == "error queueNotFound"


@pytest.mark.rule("RSM-011")
def test_a_message_that_is_not_deleted_comes_again(npm, url, name):
    with rsmq.queue(url, name) as queue:
        queue.create(vt=1)
        queue.send("again")
        first = queue.receive(timeout=5)
        with pytest.raises(TimeoutError):
            queue.receive(timeout=0.1)
        second = queue.receive(timeout=5)
        assert (second.id, second.rc, second.fr) == (first.id, 2, first.fr)
        assert queue.change_visibility(first.id, 0)
        found = npm("receiveMessage", qname=name)
        assert (found["id"], found["rc"], found["fr"]) == (first.id, 3, first.fr)
        assert npm("changeMessageVisibility", qname=name, id=first.id, vt=0) == 1
        assert queue.pop(timeout=5)[:3] == (first.id, "again", 4)
        assert not queue.change_visibility(first.id, 0)


@pytest.mark.rule("RSM-012")
def test_announcements_cross(server, packages, run_node, url, name):
    with rsmq.queue(url, name, realtime=True) as queue:
        queue.create()
        found = run_node(
            """
            import { createRequire } from 'module';
            import { execFile } from 'child_process';
            import Redis from 'ioredis';
            const [url, name] = process.env.QUEUE.split(' ');
            const listener = new Redis(url);
            listener.on('message', (channel, count) => { listener.disconnect(); done([channel, count]); });
            await listener.subscribe(`rsmq:rt:${name}`);
            execFile(python, [child]);
            """,
            """
            import os
            from nodechannel import rsmq
            url, name = os.environ["QUEUE"].split()
            with rsmq.queue(url, name, realtime=True) as queue:
                queue.send("x")
            """,
            env={**os.environ, "QUEUE": f"{url} {name}"},
        )
        assert found == [f"rsmq:rt:{name}", "1"]


@pytest.mark.rule("RSM-012")
def test_an_announcement_wakes_a_consumer(npm, url, name, monkeypatch):
    monkeypatch.setattr("nodechannel._rsmq.queue.POLL", 60.0)

    async def main() -> float:
        async with await aio.queue(url, name, realtime=True) as queue:
            await queue.create()
            waiting = asyncio.ensure_future(queue.receive(timeout=20))
            await asyncio.sleep(0.3)
            start = time.monotonic()
            await asyncio.to_thread(npm, "sendMessage", qname=name, message="x")
            assert (await waiting).message == "x"
            return time.monotonic() - start

    # Without the announcement the message is found when the limit of `receive` has passed.
    assert asyncio.run(main()) < 15


LIMITS: list[tuple[str, dict[str, Any], Callable[[rsmq.Queue], object], str | None]] = [
    ("sendMessage", {"message": "x" * 1025}, lambda queue: queue.send("x" * 1025), "messageTooLong"),
    ("sendMessage", {"message": "😀" * 513}, lambda queue: queue.send("😀" * 513), "messageTooLong"),
    ("sendMessage", {"message": "é" * 1024}, lambda queue: queue.send("é" * 1024), None),
    ("sendMessage", {"message": 5}, lambda queue: queue.send(cast("str", 5)), "messageNotString"),
    ("sendMessage", {"message": "", "delay": -1}, lambda queue: queue.send("", delay=-1), "invalidValue"),
    ("createQueue", {}, lambda queue: queue.create(), "queueExists"),
    ("createQueue", {"vt": 10**7}, lambda queue: queue.create(vt=10**7), "invalidValue"),
    ("createQueue", {"maxsize": 1000}, lambda queue: queue.create(maxsize=1000), "invalidValue"),
    ("setQueueAttributes", {}, lambda queue: queue.set_attributes(), "noAttributeSupplied"),
    ("deleteMessage", {"id": "short"}, lambda queue: queue.delete("short"), "invalidFormat"),
]


@pytest.mark.rule("RSM-001", "RSM-002", "RSM-003", "RSM-004")
def test_the_same_is_refused_with_the_same_name(npm, url, name):
    with rsmq.queue(url, name) as queue:
        queue.create(maxsize=1024)
        for method, options, call, refused in LIMITS:
            answer = npm(method, qname=name, **options)
            if refused is None:
                assert not str(answer).startswith("error"), options
                assert call(queue)
            else:
                assert answer == f"error {refused}"
                with pytest.raises(rsmq.QueueError) as error:
                    call(queue)
                assert error.value.name == refused
    for bad in ("", "a b", "a.b", "x" * 161):
        with pytest.raises(rsmq.QueueError):
            rsmq.queue(url, bad)
    with rsmq.queue(url, "absent") as queue:
        absent = (queue.attributes, queue.drop, queue.receive, lambda: queue.send("x"))
        for use in absent:
            with pytest.raises(rsmq.QueueError, match="Queue not found"):
                use()
        assert npm("sendMessage", qname="absent", message="x") == "error queueNotFound"


def test_order_and_both_sides_at_once(npm, url, name):
    with rsmq.queue(url, name) as queue:
        queue.create()
        sent = [str(number) for number in range(60)]
        for number in sent:
            if int(number) % 2:
                queue.send(number)
            else:
                npm("sendMessage", qname=name, message=number)
        assert [queue.pop(timeout=5).message for _ in sent] == sent
