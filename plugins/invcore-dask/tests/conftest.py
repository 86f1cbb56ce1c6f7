"""A cluster of two workers on this machine, as others start it: a scheduler's address."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import dask
import pytest
from distributed import LocalCluster

WORK = """
import os, signal, time
from pathlib import Path

def work(job):
    file = Path(job["file"])
    if job["do"] == "lost":  # the first time, the machine's process is killed from outside
        tries = len(list(file.parent.glob(file.name + "-try-*")))
        Path(f"{file}-try-{tries}").write_text(str(os.getppid()))
        if not tries:
            time.sleep(600)
    if job["do"] == "exit":
        os._exit(7)
    if job["do"] == "hang":
        file.write_text(str(os.getpid()))
        time.sleep(600)
    return {"status": "ok", "id": job["id"], "pid": os.getpid(), "number": 0.1 + 0.2}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """With the function above, in a module that workers find."""
    folder = tmp_path_factory.mktemp("dask")
    (folder / "work_for_dask.py").write_text(WORK)
    return folder


@pytest.fixture(scope="module")
def cluster(folder: Any) -> Iterator[LocalCluster]:
    """Two workers."""
    sys.path.insert(0, str(folder))  # spawned processes have this path too
    with dask.config.set({"distributed.logging.distributed": "critical"}):
        cluster = LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit=0, host="127.0.0.1",
            dashboard_address=None, silence_logs=logging.CRITICAL,
        )  # fmt: skip
        yield cluster
        cluster.close()
    sys.path.remove(str(folder))


@pytest.fixture
def work(cluster: LocalCluster) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The function."""
    function: Callable[[dict[str, Any]], dict[str, Any]]
    function = importlib.import_module("work_for_dask").work
    return function
