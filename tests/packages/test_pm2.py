"""`nodechannel.pm2` under the real daemon of PM2, in fork mode."""

from __future__ import annotations

import json
import platform
from typing import Any

import pytest

import nodechannel.pm2
from support.pm2 import PM2
from support.processes import wait_until_gone

pytestmark = pytest.mark.package("pm2", "program, fork mode", "`nodechannel.pm2`")

# Each program is written once, as a coroutine; the blocking program is the same without the awaits.
ASYNCIO = "import asyncio\nfrom nodechannel.pm2.asyncio import connect\n{body}\nasyncio.run(main())\n"
BLOCKING = "from nodechannel.pm2 import connect\n{body}\nmain()\n"


@pytest.fixture(params=["blocking", "asyncio"])
def start(request, pm2, script):
    """Start a program under PM2; return when it is ready."""

    def run(source: str, **options: Any) -> Any:
        if request.param == "asyncio":
            text = ASYNCIO.format(body=source)
        else:
            text = BLOCKING.format(body=source.replace("await ", "").replace("async ", ""))
        pm2.start(script("app.py", text), **{"wait_ready": True, "listen_timeout": 40_000, **options})
        return pm2

    return run


APP = """
async def main():
    async with await connect() as app:
        app.metric("users", lambda: 42, unit="users", type="app/users")
        state = app.metric("state", historic=False)
        state.set("idle")
        app.counter("done", unit="jobs").inc(3)
        app.histogram("size", "max").update(7.5)
        app.meter("rate", unit="req/min").mark(10)
        app.metric("hidden", float("nan"))
        app.metric("broken", lambda: 1 / 0)

        @app.action("db:clean", comment="remove old rows")
        def clean():
            return {"success": True}

        @app.action("say")
        async def say(text):
            return text.upper() if text else "nothing"

        @app.action("fail")
        def fail():
            raise ValueError("odd")

        @app.action("unsendable")
        def unsendable():
            return {1, 2}

        @app.action("count")
        def count(options):
            for number in range(options["to"]):
                yield number
            return "done"

        @app.topic("weather")
        async def weather(data):
            await app.publish("forecast", {"was": data})

        await app.configure(error=True)
        await app.event("user:register", user="Alex")
        await app.exception(ValueError("reported"), order=7)
        await app.publish("custom", {"a": 1})
        await app.ready()
        async for message in app:
            await app.send(["got", message.data])
    print("ended well")
"""


def test_describe_shows_metrics_actions_and_the_version_of_python(start):
    pm2 = start(APP)
    env = pm2.until(lambda env: "users" in env["axm_monitor"])
    assert env["status"] == "online"
    monitor = env["axm_monitor"]
    assert monitor["users"] == {"historic": True, "unit": "users", "type": "app/users", "value": 42}
    assert monitor["state"] == {"historic": False, "value": "idle"}
    assert monitor["done"] == {"historic": True, "unit": "jobs", "value": 3}
    assert monitor["size"] == {"historic": True, "value": 7.5}
    assert monitor["rate"]["unit"] == "req/min"
    assert not {"hidden", "broken"} & set(monitor)
    actions = {action["action_name"]: action for action in env["axm_actions"]}
    assert actions["db:clean"] == {
        "action_name": "db:clean",
        "action_type": "custom",
        "arity": 1,
        "opts": {"comment": "remove old rows"},
    }
    assert (actions["say"]["arity"], actions["count"]["action_type"]) == (2, "scoped")
    assert env["axm_options"]["error"] is True
    assert env["node_version"] == f"Python {platform.python_version()}"
    shown = pm2.cli("describe", "app")
    for text in (f"Python {platform.python_version()}", "db:clean", "users", "42 users", "idle"):
        assert text in shown, shown
    assert "null" not in shown.lower()
    assert "online" in pm2.cli("list")


def test_trigger_calls_actions_and_shows_results_and_errors(start):
    pm2 = start(APP)
    assert pm2.trigger("app", "db:clean") == '{"success":true}'
    assert pm2.trigger("app", "say", "hello world") == '"HELLO WORLD"'
    assert pm2.trigger("app", "say") == '"nothing"'
    for action, name, text in [("fail", "ValueError", "odd"), ("unsendable", "InvalidMessage", "set")]:
        pm2.call("msgProcess", {"name": "app", "msg": action})
        found = reply(pm2, action)
        assert found["return"]["name"] == name
        assert text in found["return"]["error"]
    pm2.call("msgProcess", {"name": "app", "msg": "count", "opts": {"to": 2}})
    assert reply(pm2, "count")["return"] == [0, 1]


def reply(pm2: PM2, action: str) -> Any:
    """Wait for the reply of an action."""
    return pm2.event("axm:reply", lambda packet: packet["data"]["action_name"] == action)["data"]


def test_a_generator_streams_to_a_caller_with_an_uuid(start):
    pm2 = start(APP)
    id = pm2.env()["pm_id"]
    pm2.call("msgProcess", {"id": id, "msg": "count", "opts": {"to": 2}, "uuid": "u-1"})
    for value in (0, 1):
        assert pm2.event("axm:scoped_action:stream")["data"] == {
            "data": value,
            "uuid": "u-1",
            "action_name": "count",
        }
    assert pm2.event("axm:scoped_action:end")["data"]["data"] == "done"
    pm2.call("msgProcess", {"id": id, "msg": "count", "opts": {"to": "x"}, "uuid": "u-2"})
    found = pm2.event("axm:scoped_action:error")["data"]
    assert (found["uuid"], found["data"]["name"]) == ("u-2", "TypeError")


def test_events_and_exceptions_reach_the_bus(start):
    pm2 = start(APP)
    assert pm2.event("human:event")["data"] == {"user": "Alex", "__name": "user:register"}
    found = pm2.event("process:exception", lambda packet: packet["data"]["message"] == "reported")["data"]
    assert (found["name"], found["metadata"]) == ("ValueError", {"order": 7})
    broken = pm2.event("process:exception", lambda packet: packet["data"]["name"] == "ZeroDivisionError")
    assert broken["data"]["metadata"] == {"metric": "broken"}
    assert "in <lambda>" in broken["data"]["stack"]
    assert pm2.event("custom")["data"] == {"a": 1}


def test_messages_come_by_topic_or_by_iteration(start):
    pm2 = start(APP)
    id = pm2.env()["pm_id"]
    for topic in ("weather", "other"):
        pm2.call("sendDataToProcessId", id, {"type": "process:msg", "data": {"t": 21}, "topic": topic})
    assert pm2.event("forecast")["data"] == {"was": {"t": 21}}
    _, message = pm2.event("process:msg", lambda packet: "got" in packet["raw"])["raw"]
    assert (message["topic"], message["data"]) == ("other", {"t": 21})


@pytest.mark.parametrize("by_message", [False, True], ids=["SIGINT", "shutdown"])
def test_a_stop_ends_the_program_in_good_order(start, by_message):
    pm2 = start(APP, shutdown_with_message=by_message)
    pm2.call("stop", "app")
    env = pm2.until(lambda env: env["status"] == "stopped")
    assert env["exit_code"] == 0
    assert pm2.logs() == ("ended well\n", "")


def test_an_exception_that_ends_the_program_is_reported(start):
    pm2 = start(
        """
async def main():
    async with await connect() as app:
        await app.ready()
        raise RuntimeError("the end")
"""
    )
    assert pm2.event("process:exception")["data"]["message"] == "the end"
    env = pm2.until(lambda env: env["status"] != "online")
    assert env["exit_code"] == 1
    assert "RuntimeError: the end" in pm2.logs()[1]


REFUSED: list[Any] = [None, {"type": ["x"], "data": 1}, {"type": "axm:monitor", "data": {"x": None}}]


def test_what_would_end_the_daemon_is_refused(start):
    pm2 = start(
        """
import json, sys
from nodechannel.pm2 import UnsafeForPM2

async def main():
    async with await connect(default=lambda _: None) as app:
        refused = 0
        for message in json.loads(sys.argv[1]):
            try:
                await app.send(message)
            except UnsafeForPM2:
                refused += 1
        for type, data in [("", 1), (None, 1), ("a", None), ("a", {})]:
            try:
                await app.publish(type, data)
            except UnsafeForPM2:
                refused += 1
        deep = []
        for _ in range(5000):
            deep = [deep]
        for bad in [None, float("nan"), object(), deep, "x" * 100_000_000]:
            try:
                await app.channel.send(bad)
            except UnsafeForPM2:
                refused += 1
        for message in [False, "", 0, [None], {"type": "x"}, {"a": None}]:
            await app.send(message)
        await app.send({"refused": refused})
        await app.ready()
        await app.wait()
""",
        args=[json.dumps(REFUSED)],
    )
    found = pm2.event(
        "process:msg", lambda packet: isinstance(packet["raw"], dict) and "refused" in packet["raw"]
    )
    assert found["raw"] == {"refused": len(REFUSED) + 9}


def test_null_does_end_the_daemon(tmp_path, script):
    with PM2(tmp_path) as pm2:
        source = "import nodechannel, time\nnodechannel.connect().send(None)\ntime.sleep(20)\n"
        with pytest.raises(AssertionError, match=r"the client of PM2 ended|the daemon ended"):
            pm2.start(script("deadly.py", source))
            pm2.event("never")
        assert "PM2 global error caught" in pm2.daemon_log()


def test_the_program_ends_with_the_daemon(tmp_path, script):
    source = BLOCKING.format(body=APP.replace("await ", "").replace("async ", ""))
    with PM2(tmp_path) as pm2:
        pm2.start(script("app.py", source), wait_ready=True, listen_timeout=40_000)
        pid = pm2.describe()[0]["pid"]
        pm2.process.kill()
        pm2.process.wait()
        wait_until_gone(pid)


def test_it_needs_a_channel():
    with pytest.raises(nodechannel.NoChannel):
        nodechannel.pm2.connect()
