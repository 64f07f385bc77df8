"""What the Python peers share: the protocol of lines of JSON, the data, and timing.

Requests are {"id", "command", ...}, answers {"id", "result"} or {"id", "error"}. Between two requests a peer blocks on its
input. Commands: hello, check, prepare, choose, run (see run_peer). The environment gives KCC_BENCH_DATA, the folder of the
data, and KCC_BENCH_THREADS.
"""
import json
import os
import sys
import time

import numpy as np

FOLDER = os.environ["KCC_BENCH_DATA"]
THREADS = int(os.environ["KCC_BENCH_THREADS"])


def data_of(workload):
    """Weights in Keras' order, and batches (x, y) as numpy arrays."""
    name, sizes, batch = workload["name"], workload["sizes"], workload["batchSize"]

    def read(part):
        return np.fromfile(os.path.join(FOLDER, f"{name}.{part}.f32"), dtype=np.float32)

    everything, at, weights = read("weights"), 0, []
    for inputs, outputs in zip(sizes, sizes[1:]):
        for shape in ((inputs, outputs), (outputs,)):
            count = int(np.prod(shape))
            weights.append(everything[at : at + count].reshape(shape).copy())
            at += count
    x, y = read("x").reshape(-1, batch, sizes[0]), read("y").reshape(-1, batch, sizes[-1])
    return weights, [(np.ascontiguousarray(a), np.ascontiguousarray(b)) for a, b in zip(x, y)]


def time_of(step, finish, seconds):
    """Runs `step` for about `seconds` after a few that do not count; returns seconds per step and their number."""
    step()
    finish()
    count, begun = 1, time.perf_counter()
    while True:
        for _ in range(count):
            step()
        finish()
        passed = time.perf_counter() - begun
        if passed > min(0.02, seconds / 4) or count > 1_000_000:
            break
        count, begun = count * 2, time.perf_counter()
    count = max(1, int(seconds * count / passed))
    begun = time.perf_counter()
    for _ in range(count):
        step()
    finish()
    return (time.perf_counter() - begun) / count, count


class Tasks:
    """Prepared ways of doing each task; the quickest of them stands for the peer."""

    def __init__(self, make):
        self.make = make
        self.ways = {}
        self.failures = []

    def prepare(self, kind, workload):
        """Makes and warms up all ways. `make(kind, workload)` yields (name, build), build() -> (step, finish)."""
        ways = []
        for name, build in self.make(kind, workload):
            try:
                step, finish = build()
                for _ in range(3):
                    step()
                finish()
                ways.append((name, step, finish))
            except Exception as error:  # one way that fails must not take the others with it
                self.failures.append(f"{name}: {type(error).__name__}: {error}"[:300])
        if not ways:
            raise RuntimeError("; ".join(self.failures) or "no way of doing it")
        self.ways[kind, workload["name"]] = ways
        return [name for name, _, _ in ways]

    def choose(self, kind, workload, seconds):
        key = kind, workload["name"]
        ways = self.ways[key]
        if len(ways) > 1:
            ways = sorted(ways, key=lambda way: min(time_of(way[1], way[2], seconds)[0] for _ in range(2)))
            self.ways[key] = ways[:1]
        return ways[0][0]

    def run(self, kind, workload, seconds):
        _, step, finish = self.ways[kind, workload["name"]][0]
        return time_of(step, finish, seconds)


def run_peer(version, make, check):
    """Answers requests until the input ends. `check(workload, steps)` returns losses of steps without dropout."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print must not get between the answers
    tasks = Tasks(make)

    def answer(request):
        command, workload = request["command"], request.get("workload")
        if command == "hello":
            return {"version": version}
        if command == "check":
            return check(workload, request["steps"])
        if command == "prepare":
            return {"ways": tasks.prepare(request["kind"], workload), "failures": tasks.failures}
        if command == "choose":
            return tasks.choose(request["kind"], workload, request["seconds"])
        if command == "run":
            seconds, count = tasks.run(request["kind"], workload, request["seconds"])
            return {"seconds": seconds, "count": count}
        raise ValueError(f"unknown command {command}")

    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = {"id": request["id"], "result": answer(request)}
        except Exception as error:
            reply = {"id": request["id"], "error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(reply), file=answers, flush=True)
