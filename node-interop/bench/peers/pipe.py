"""`multiprocessing.Pipe`, which pickles, as both ends of a benchmark pair."""

import multiprocessing
import time

from orders import Job, counts, report


def child(job, pipe):
    payload = job.payload
    while count := pipe.recv():
        if job.kind == "up":
            for _ in range(count):
                pipe.send(payload)
        elif job.kind == "down":
            for _ in range(count):
                pipe.recv()
            pipe.send("all")
        else:
            for _ in range(count):
                pipe.send(pipe.recv())


def parent(job, pipe):
    payload = job.payload
    for count in counts():
        began = time.perf_counter()
        pipe.send(count)
        if job.kind == "up":
            for _ in range(count):
                pipe.recv()
        elif job.kind == "down":
            for _ in range(count):
                pipe.send(payload)
            pipe.recv()
        else:
            for _ in range(count):
                pipe.send(payload)
                pipe.recv()
        report(seconds=time.perf_counter() - began)
    pipe.send(0)


def main():
    job = Job()
    # A fresh interpreter, as in all pairs.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=child, args=(job, theirs))
    process.start()
    theirs.close()
    report(pid=process.pid)
    parent(job, ours)
    process.join()


if __name__ == "__main__":
    main()
