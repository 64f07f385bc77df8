"""What the Python peers share: the protocol of lines of JSON, the data, and timing.

Requests are {"id", "command", ...}, answers {"id", "result"} or {"id", "error"}. Between two requests a peer blocks on its
input. Commands: hello, check, prepare, choose, run, memory, release (see run_peer). A task is {"kind", "batch", "workload"}. The
environment gives KCC_BENCH_DATA, the folder of the data, and KCC_BENCH_THREADS.
"""
import functools
import gc
import json
import os
import sys
import time

import numpy as np

FOLDER = os.environ["KCC_BENCH_DATA"]
THREADS = int(os.environ["KCC_BENCH_THREADS"])
MEMORY_STEPS = 4


class Data:
    """A network's facts (see test/bench/network.ts), weights by layer in Keras' order, and samples.

    network: the parsed JSON; weights: {layer name: [arrays]}; x, y: (samples, ...) float32.
    """

    def __init__(self, workload, model):
        with open(os.path.join(FOLDER, f"{model}.json")) as file:
            self.network = json.load(file)
        everything, at, self.weights = self._read(workload, "weights"), 0, {}
        for layer in self.network["layers"]:
            arrays = self.weights[layer["name"]] = []
            for shape in (weight["shape"] for weight in layer["weights"]):
                count = int(np.prod(shape))
                arrays.append(everything[at : at + count].reshape(shape))
                at += count
        self.x = self._read(workload, "x").reshape(-1, *self.network["inputShape"])
        self.y = self._read(workload, "y")
        if self.y.size:
            self.y = self.y.reshape(-1, *self.network["outputShape"])

    @staticmethod
    def _read(workload, part):
        return np.fromfile(os.path.join(FOLDER, f"{workload['name']}.{part}.f32"), dtype=np.float32)

    @property
    def loss(self):
        return self.network["training"]["loss"]

    @property
    def optimizer(self):
        """Keras' name of the optimizer and its configuration."""
        optimizer = self.network["training"]["optimizer"]
        return optimizer["class_name"], optimizer["config"]

    def batches(self, size):
        """Whole batches (x, y) in order."""
        whole = len(self.x) // size * size
        return [(self.x[i : i + size], self.y[i : i + size]) for i in range(0, whole, size)]


@functools.lru_cache(maxsize=2)
def _data_of(name, model):
    return Data({"name": name}, model)


def data_of(workload, model):
    """The data of a workload with the network of one of its models, read once."""
    return _data_of(workload["name"], model)


def memory_of(name):
    """Bytes of VmRSS, what is resident now, or of VmHWM, the most since `forget_peak`."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))


def forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def time_of(step, finish, seconds):
    """Runs `step` for about `seconds` after one that does not count; returns seconds per step and their number."""
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
    if passed < seconds / 2:
        count = max(1, int(seconds * count / passed))
        begun = time.perf_counter()
        for _ in range(count):
            step()
        finish()
        passed = time.perf_counter() - begun
    return passed / count, count


class Tasks:
    """Prepared ways of doing each task; the quickest of them stands for the peer."""

    def __init__(self, make):
        self.make = make
        self.ways = {}

    @staticmethod
    def key(request):
        return request["kind"], request["workload"]["name"], request["batch"]

    def prepare(self, request):
        """Makes and warms up all ways. `make(kind, workload, batch)` yields (name, build), build() -> (step, finish)."""
        ways, failures = [], []
        for name, build in self.make(request["kind"], request["workload"], request["batch"]):
            try:
                step, finish = build()
                for _ in range(2):
                    step()
                finish()
                ways.append((name, step, finish))
            except Exception as error:  # one way that fails must not take the others with it
                failures.append(f"{name}: {type(error).__name__}: {error}"[:300])
        if not ways:
            raise RuntimeError("; ".join(failures) or "no way of doing it")
        self.ways[self.key(request)] = ways
        return {"ways": [name for name, _, _ in ways], "failures": failures}

    def choose(self, request):
        """Each way twice, alternating; the others are let go."""
        ways = self.ways[self.key(request)]
        best = {name: min(time_of(step, finish, request["seconds"])[0] for _ in range(2)) for name, step, finish in ways} if len(ways) > 1 else {}
        ways.sort(key=lambda way: best.get(way[0], 0))
        del ways[1:]
        return ways[0][0]

    def run(self, request):
        _, step, finish = self.ways[self.key(request)][0]
        seconds, count = time_of(step, finish, request["seconds"])
        return {"seconds": seconds, "count": count}

    def memory(self, request):
        """Bytes that the first way takes at its peak in some steps, beside the libraries and the data."""
        data_of(request["workload"], request["workload"]["model"])
        before = memory_of("VmRSS")
        forget_peak()
        _, build = next(iter(self.make(request["kind"], request["workload"], request["batch"])))
        step, finish = build()
        for _ in range(MEMORY_STEPS):
            step()
        finish()
        return {"bytes": memory_of("VmHWM") - before}

    def release(self, clear):
        """Lets go of all that was prepared, before the next workload."""
        self.ways.clear()
        _data_of.cache_clear()
        clear()
        gc.collect()


def run_peer(version, make, check, clear=lambda: None):
    """Answers requests until the input ends. `check(workload, steps, samples)` returns {"losses", "outputs"}: losses of steps
    without dropout or None, and the predictions of the first samples."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print must not get between the answers
    tasks = Tasks(make)

    def answer(request):
        match request["command"]:
            case "hello":
                return {"version": version}
            case "check":
                return check(request["workload"], request["steps"], request["samples"])
            case "prepare":
                return tasks.prepare(request)
            case "choose":
                return tasks.choose(request)
            case "run":
                return tasks.run(request)
            case "memory":
                return tasks.memory(request)
            case "release":
                return tasks.release(clear)
        raise ValueError(f"unknown command {request['command']}")

    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = {"id": request["id"], "result": answer(request)}
        except Exception as error:
            reply = {"id": request["id"], "error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(reply), file=answers, flush=True)


def checked(losses, outputs):
    """The answer to `check`. outputs: an array of any shape."""
    return {"losses": losses, "outputs": [float(v) for v in np.asarray(outputs, np.float64).reshape(-1)]}
