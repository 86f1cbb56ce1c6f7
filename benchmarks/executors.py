"""Executors: the same bytes whoever does the runs, workers that are lost, and what two bring.

    OMP_NUM_THREADS=1 python benchmarks/executors.py [bytes|lost|speed …] [--runs 8] [--seconds 5]

    bytes  a small bench by every executor that is installed, with one worker and two, in another
           order and another folder: runs of which any file differs from that of a plain sweep,
           but for what is by the clock
    lost   dask with three workers, of which one is killed in the middle of the sweep, and its
           nanny too; submitit's local executor with a task killed: runs that are lost or differ
    speed  runs that keep a core busy for some seconds: time by one worker over that by two

Seconds are of the clock, in one process one after another: nothing else may run.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from invcore import Store
from invcore.benchmarking.file import BenchFile
from invcore.benchmarking.sweep import Sweep, Watcher
from invcore.plugin import Job, Record, installed
from invcore.testing import stored_bytes

BENCH = """
name = "small"
preset = "quick"
seeds = [0, 1, 2]
targets = 20
candidates = 8
pairs = 400
samplers = ["lhs"]
tasks = ["sine-wave"]
methods = [
    { name = "na", surrogate.training.epochs = 20 },
    { name = "mdn", training.epochs = 10 },
    { name = "random-search", tries = 20 },
]
"""


def spin(job: Job) -> Record:
    """Keep a core busy for some seconds of processor."""
    end = time.process_time() + job["seconds"]
    value = 1.0
    while time.process_time() < end:
        value = (value * 1.0000001) % 2.0
    return {"status": "ok", "id": job["id"]}


def executor(name: str, **settings: Any) -> Any:
    """An executor by its name; None where its package is not installed."""
    try:
        kind = installed().registry.load("executor", name)
    except Exception:
        return None
    return kind(kind.Config(**settings))


def known(folder: Path) -> dict[str, Callable[[int], Any]]:
    """The executors, each by its number of workers."""
    queue = str(folder / "queue")
    return {
        "processes": lambda n: executor("processes", workers=n),
        "dask": lambda n: executor("dask", workers=n),
        "submitit": lambda n: executor("submitit", cluster="local", workers=n, folder=queue),
    }  # fmt: skip


def sweep(place: Path, how: Any, text: str = BENCH, watcher: Watcher | None = None) -> Store:
    """A bench in a folder of its own."""
    place.mkdir(parents=True)
    (place / "bench.toml").write_text(text)
    store = Store(place / "runs")
    Sweep(BenchFile.read(place / "bench.toml"), store).go(how, watcher)
    return store


def compared(name: str, plain: dict[str, Any], store: Store) -> None:
    """Print how many runs are missing, and differ."""
    found = stored_bytes(store)
    differ = sum(found[run] != plain[run] for run in plain.keys() & found.keys())
    print(f"| {name} | {len(plain)} | {len(plain.keys() - found.keys())} | {differ} |", flush=True)


def same_bytes(root: Path) -> None:
    """Part ``bytes``."""
    plain = stored_bytes(sweep(root / "plain", None))
    print("| executor | runs | missing | differ |\n|---|---|---|---|")
    compared("serial", plain, sweep(root / "serial", executor("serial")))
    backwards = BENCH.replace("seeds = [0, 1, 2]", "seeds = [2, 1, 0]")
    compared("serial, other order", plain, sweep(root / "order", None, backwards))
    for name, make in known(root).items():
        for workers in (1, 2):
            if make(workers) is not None:
                store = sweep(root / f"{name}{workers}", make(workers))
                compared(f"{name}, {workers} workers", plain, store)


class Killer(Watcher):
    """Kills a process when some runs have ended.

    Args:
        number: finds the process.
        after: runs.
    """

    def __init__(self, number: Callable[[], int | None], after: int) -> None:
        self._number, self._after, self.killed = number, after, 0

    def ended(self, cell: Any, state: Any) -> None:
        """Count, and kill."""
        self._after -= 1
        number = self._number() if self._after == 0 else None
        if number is not None:
            os.kill(number, signal.SIGKILL)
            self.killed += 1


def lost_workers(root: Path) -> None:
    """Part ``lost``."""
    import psutil

    plain = stored_bytes(sweep(root / "whole", None))
    print("| executor | runs | missing | differ |\n|---|---|---|---|")
    own = psutil.Process()

    def worker(mark: str) -> int | None:
        """A process of the cluster that has a job's process below it."""
        for each in own.children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it has just ended
                if any(mark in word for word in each.cmdline()) and each.children():
                    return int(each.pid)
        return None

    queue = {"cluster": "local", "workers": 2, "folder": str(root / "queue2")}
    for name, mark, how in (
        ("dask", "spawn_main", executor("dask", workers=3)),
        ("submitit", "submitit", executor("submitit", **queue)),
    ):
        if how is None:
            continue
        killer = Killer(partial(worker, mark), 2)
        store = sweep(root / f"lost-{name}", how, watcher=killer)
        compared(f"{name}, {killer.killed} killed", plain, store)


def speed(root: Path, runs: int, seconds: float) -> None:
    """Part ``speed``."""
    jobs = [{"id": str(i), "seconds": seconds} for i in range(runs)]
    print(f"| executor | 1 worker, s | 2 workers, s | ratio |   ({runs} jobs of {seconds:g} s)")
    print("|---|---|---|---|")
    for name, make in known(root).items():
        if make(1) is None:
            continue
        took = []
        for workers in (1, 2):
            start = time.perf_counter()
            assert all(record["status"] == "ok" for record in make(workers).map(spin, jobs))
            took.append(time.perf_counter() - start)
        print(f"| {name} | {took[0]:.1f} | {took[1]:.1f} | {took[0] / took[1]:.2f} |", flush=True)


def main() -> None:
    """The parts that are asked for, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=["bytes", "lost", "speed", []])
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    parts = options.parts or ["bytes", "lost", "speed"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if "bytes" in parts:
            same_bytes(root)
        if "lost" in parts:
            lost_workers(root)
        if "speed" in parts:
            speed(root, options.runs, options.seconds)


if __name__ == "__main__":
    main()
