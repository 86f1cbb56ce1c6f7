"""A dask cluster whose scheduler or workers are killed while it does a bench."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fault_trials.ends import compare, look, undisturbed
from fault_trials.work import WORKS, Work, content, runs, store_of

_START_S = 120.0
_GONE = 2  # what a command ends with that has lost its scheduler
_TRIES = 6


@contextmanager
def cluster(folder: Path, workers: int = 1) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler with workers, as others start them: its address, and its process."""
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    out = (folder / "cluster.log").open("ab")

    def begin(kind: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words]
        return subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)

    head = begin(
        "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file),
        "--no-dashboard",
    )  # fmt: skip
    end = time.monotonic() + _START_S
    address = ""
    while not address:
        assert time.monotonic() < end and head.poll() is None, "no scheduler starts"
        with suppress(OSError, ValueError, KeyError):
            address = json.loads(file.read_bytes())["address"]
        time.sleep(0.05)
    hands = [
        begin("worker", address, "--nthreads", "1", "--no-dashboard", "--memory-limit", "0",
              "--local-directory", str(folder / "scratch"))
        for _ in range(workers)
    ]  # fmt: skip
    try:
        yield address, head
    finally:
        for process in (head, *hands):
            process.kill()
            process.wait()
        out.close()


def scheduler(count: int, seed: int) -> Counter[str]:
    """Kill the scheduler at random moments; with another one, the same bench goes on."""
    draw, found = random.Random(f"scheduler {seed}"), Counter[str]()
    expected = undisturbed("bench")[0]
    while found["ends"] < count:
        with tempfile.TemporaryDirectory() as root:
            folder, kept = Path(root), dict[str, bytes]()
            for tries in range(_TRIES):
                last = tries == _TRIES - 1 or found["ends"] >= count
                with cluster(folder) as (address, head):
                    words = ("--executor", "dask", "--scheduler", address)
                    command = Work("cluster", (*WORKS["bench"].words, *words)).command(folder)
                    before = len(store_of(folder).ids())
                    command.start()
                    while command.process.is_alive() and not last:
                        if len(store_of(folder).ids()) > before:  # a run was done
                            time.sleep(draw.uniform(0.0, 0.5))
                            os.kill(head.pid, signal.SIGKILL)
                            found["ends"] += 1
                            break
                        time.sleep(0.02)
                    code = command.wait()
                    found[f"exit {code}"] += 1
                    found["hangs"] += code is None
                    found["wrong exits"] += code not in (0, _GONE)
                look(folder, kept, found, forced=False)
                kept = runs(store_of(folder))
                if code == 0:
                    break
            compare(content(store_of(folder)), expected, found)
    return found
