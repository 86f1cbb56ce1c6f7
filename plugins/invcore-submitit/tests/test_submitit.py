"""Jobs as tasks of a queue: what is lost is begun again without what has ended."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from invcore_submitit.submitit_executor import Submitit, SubmititConfig

# submitit waits for no process that was killed.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

WORK = """
import os, time
from pathlib import Path

def work(job):
    file = Path(job["file"])
    tries = len(list(file.parent.glob(file.name + "-try-*")))
    Path(f"{file}-try-{tries}").write_text(str(os.getppid()))
    if job["do"] == "always" or (job["do"] == "lost" and not tries):
        time.sleep(600)
    return {"status": "ok", "id": job["id"], "number": 0.1 + 0.2}
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    (tmp_path / "work_for_submitit.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    yield importlib.import_module("work_for_submitit").work
    del sys.modules["work_for_submitit"]


def executor(tmp_path, **settings):
    return Submitit(
        SubmititConfig(cluster="local", folder=str(tmp_path / "queue"), **settings)
    )  # fmt: skip


def jobs(tmp_path, *what, **more):
    return [
        {"id": i, "do": do, "file": str(tmp_path / f"job{i}"), **more} for i, do in enumerate(what)
    ]


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_runs_have_the_bytes_of_this_process(tmp_path, same_bytes):
    same_bytes(executor(tmp_path, workers=1, together=2))


def test_a_task_that_is_killed_is_begun_again_without_what_has_ended(work, tmp_path):
    pool = executor(tmp_path, workers=1, together=3).pool(work)
    with pool:
        for job in jobs(tmp_path, "", "lost", ""):
            pool.start(job)
        first = pool.next()
        assert first == {"status": "ok", "id": 0, "number": 0.1 + 0.2}
        mark = Path(tmp_path / "job1-try-0")
        wait_for(lambda: mark.exists() and mark.read_text())
        wait_for(lambda: any(state.job == "1" for state in pool.workers()))
        os.kill(int(mark.read_text()), signal.SIGKILL)  # the task, on its machine
        rest = sorted(pool.next()["id"] for _ in range(2))
        assert rest == [1, 2] and pool.running == 0
    assert len(list(tmp_path.glob("job0-try-*"))) == 1
    assert len(list(tmp_path.glob("job1-try-*"))) == 2
    assert not (tmp_path / "queue").exists()


def test_a_limit_and_a_task_that_is_lost_each_time(work, tmp_path):
    late = {"limits": {"time_s": 1.0}}
    (record,) = executor(tmp_path).map(work, jobs(tmp_path, "always", **late))
    assert record["reason"] == "stopped after 1 s, its time limit"
    other = tmp_path / "other"
    other.mkdir()
    with executor(tmp_path, retries=0).pool(work) as pool:
        pool.start(jobs(other, "always")[0])
        mark = other / "job0-try-0"
        pool._submit_new()
        wait_for(lambda: mark.exists() and mark.read_text())
        os.kill(int(mark.read_text()), signal.SIGKILL)
        record = pool.next()
    assert record["status"] == "error" and record["reason"].startswith("its task was lost 1 time")


def test_an_array_is_asked_for_as_the_settings_say(work, tmp_path, monkeypatch):
    """No queue is here: what would be submitted is looked at."""
    import submitit.slurm.slurm as slurm

    monkeypatch.setattr(slurm.SlurmExecutor, "affinity", classmethod(lambda cls: 2))
    string = slurm._make_sbatch_string(
        command="x", folder=tmp_path, map_count=7, array_parallelism=3, partition="short",
        time=90, additional_parameters={"account": "lab"},
    )  # fmt: skip
    for line in ("--array=0-6%3", "--partition=short", "--account=lab", "--time=90"):
        assert line in string
    pool = Submitit(SubmititConfig(
        cluster="slurm", folder=str(tmp_path / "queue"), workers=3, queued=50, minutes=90,
        partition="short", options={"account": "lab"},
    )).pool(work)  # fmt: skip
    asked = pool._executor._executor.parameters
    assert (asked["array_parallelism"], asked["time"], asked["partition"]) == (3, 90, "short")
    assert asked["additional_parameters"] == {"account": "lab"} and pool.size == 50
    pool.close()
