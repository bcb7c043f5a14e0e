"""Python processors of BullMQ's sandbox, with a real Redis."""

from __future__ import annotations

import json
import os

import pytest

from support.redis import Redis

pytestmark = pytest.mark.package("bullmq", "sandboxed processor", "`nodechannel.workers.serve`")

PROCESSOR = """
    import asyncio, os, time
    from nodechannel import workers

    attempts = {}

    def total(job):
        job.log("adding")
        job.update_progress(50)
        job.update_data({"numbers": job.data["numbers"], "seen": True})
        return {"sum": sum(job.data["numbers"]), "name": job.name, "tries": job.raw["attemptsMade"]}

    async def progress(job):
        for number in range(job.data["n"]):
            yield {"step": number}

    async def parent(job):
        values = await job.get_children_values()
        count = await job.get_dependencies_count()
        return {"values": sorted(values.values()), "processed": count["processed"]}

    def fail(job):
        raise ValueError("odd")

    def hopeless(job):
        raise workers.UnrecoverableError("never again")

    def unsendable(job):
        return object()

    async def later(job):
        if not job.data.get("moved"):
            await job.update_data({"moved": True})
            await job.move_to_delayed(time.time() * 1000 + 200)
            raise workers.DelayedError("later")
        return "done later"

    async def cancelled(job):
        await job.update_progress("begun")
        await asyncio.sleep(60)

    def cancelled_plain(job):
        job.update_progress("begun")
        return "told" if job.cancelled.wait(40) else "not told"

    def default(job):
        return os.getpid()

    workers.serve({f.__name__: f for f in (
        total, progress, parent, fail, hopeless, unsendable, later, cancelled, cancelled_plain, default)})
"""

QUEUE = """
    import { Queue, Worker, QueueEvents, FlowProducer } from 'bullmq';
    const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT) };
    const queue = new Queue('q', { connection });
    const events = new QueueEvents('q', { connection });
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
    const worker = new Worker('q', new URL('file://' + child), { connection, workerForkOptions: { execPath: python, execArgv: [child] } });
    const ask = async (name, data = {}, opts = {}) => {
      const job = await queue.add(name, data, opts);
      return { job, ...(await outcome(job.waitUntilFinished(events))) };
    };
    const end = async (found) => {
      await worker.close(); await events.close(); await queue.obliterate({ force: true }); await queue.close();
      done(found);
    };
"""


@pytest.fixture(scope="module")
def redis():
    with Redis() as server:
        yield server


@pytest.fixture
def run(run_node, redis):
    def start(source):
        return run_node(QUEUE + source, PROCESSOR, env={**os.environ, "REDIS_PORT": str(redis.port)})

    return start


def test_jobs_return_fail_and_report(run):
    found = run(
        """
        const total = await ask('total', { numbers: [1, 2, 3] });
        const stored = await queue.getJob(total.job.id);
        const steps = [];
        events.on('progress', ({ jobId, data }) => steps.push([jobId, data]));
        const progress = await ask('progress', { n: 3 });
        const fail = await ask('fail', {}, { attempts: 2 });
        const failed = await queue.getJob(fail.job.id);
        const hopeless = await ask('hopeless', {}, { attempts: 5 });
        const gaveUp = await queue.getJob(hopeless.job.id);
        const unsendable = await ask('unsendable');
        const later = await ask('later');
        const pids = [(await ask('a')).value, (await ask('b')).value];
        await end({ total: total.value, progressOfTotal: stored.progress, data: stored.data,
          logs: (await queue.getJobLogs(total.job.id)).logs,
          steps: steps.filter(([id]) => id === progress.job.id).map(([, data]) => data), progress: progress.value,
          fail: fail.message, stack: failed.stacktrace, tries: failed.attemptsMade,
          hopeless: hopeless.message, once: gaveUp.attemptsMade, unsendable: unsendable.message, later: later.value, pids });
        """
    )
    assert found["total"] == {"sum": 6, "name": "total", "tries": 0}
    assert (found["progressOfTotal"], found["logs"]) == (50, ["adding"])
    assert found["data"] == {"numbers": [1, 2, 3], "seen": True}
    assert found["steps"] == [{"step": 0}, {"step": 1}, {"step": 2}]
    assert found["progress"] is None
    assert (found["fail"], found["tries"]) == ("odd", 2)
    assert "ValueError: odd" in json.dumps(found["stack"])
    assert (found["hopeless"], found["once"]) == ("never again", 1)
    assert found["unsendable"] == (
        "the message cannot be sent: object is not a type of JSON (default= can translate it) at $.value"
    )
    assert found["later"] == "done later"
    # A single process serves job after job.
    assert found["pids"][0] == found["pids"][1]


def test_parents_see_the_results_of_their_children(run):
    found = run(
        """
        const flow = new FlowProducer({ connection });
        const tree = await flow.add({ name: 'parent', queueName: 'q', children: [
          { name: 'total', queueName: 'q', data: { numbers: [1, 2] } },
        ] });
        const result = await tree.job.waitUntilFinished(events);
        await flow.close();
        await end(result);
        """
    )
    assert found == {"values": [{"sum": 3, "name": "total", "tries": 0}], "processed": 1}


def test_the_queue_cancels_jobs(run):
    found = run(
        """
        const cancel = async (name) => {
          const begun = new Promise((resolve) => events.once('progress', resolve));
          const job = await queue.add(name, {}, { attempts: 1 });
          await begun;
          worker.cancelJob(job.id, 'no longer wanted');
          return outcome(job.waitUntilFinished(events, 20000));
        };
        await end({ coroutine: await cancel('cancelled'), plain: await cancel('cancelled_plain') });
        """
    )
    assert found["coroutine"]["message"] == "the job was cancelled"
    assert found["plain"] == {"value": "told"}


def test_a_worker_that_closes_waits_for_the_job(run):
    found = run(
        """
        const job = await queue.add('progress', { n: 2 });
        while (await job.getState() === 'waiting') await new Promise((resolve) => setTimeout(resolve, 20));
        await worker.close();
        const state = await job.getState();
        await events.close(); await queue.obliterate({ force: true }); await queue.close();
        done(state);
        """
    )
    assert found == "completed"
