"""Jobs on a cluster: what is lost is begun again, what is late is ended, what is left ends."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest
from invcore_dask.dask_executor import Dask, DaskConfig

from invcore import InvcoreError


@pytest.fixture
def who(cluster):
    return Dask(DaskConfig(scheduler=cluster.scheduler_address))


def jobs(file, *what, **more):
    return [{"id": i, "do": do, "file": f"{file}-{i}", **more} for i, do in enumerate(what)]


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_runs_have_the_bytes_of_this_process(who, same_bytes):
    same_bytes(who)


def test_a_job_whose_worker_is_killed_is_begun_again(who, work, tmp_path):
    file = tmp_path / "job"
    with who.pool(work) as pool:
        (job,) = jobs(file, "lost")
        pool.start(job)
        mark = Path(f"{file}-0-try-0")
        wait_for(lambda: mark.exists() and mark.read_text())
        os.kill(int(mark.read_text()), signal.SIGKILL)  # the cluster's process on that machine
        record = pool.next()
    assert record["status"] == "ok" and record["number"] == 0.1 + 0.2
    assert len(list(tmp_path.glob("job-0-try-*"))) == 2


def test_a_job_is_stopped_at_its_limit_and_the_rest_go_on(who, work, tmp_path):
    late = {"limits": {"time_s": 1.0}}
    records = who.map(work, [*jobs(tmp_path / "a", "hang", **late), *jobs(tmp_path / "b", "exit")])
    reasons = {record["do"]: record["reason"] for record in records}
    assert reasons == {
        "hang": "stopped after 1 s, its time limit", "exit": "the worker died: exit code 7"
    }  # fmt: skip


def test_what_is_not_wanted_any_more_is_ended(who, work, tmp_path):
    file = tmp_path / "job"
    pool = who.pool(work)
    (job,) = jobs(file, "hang")
    pool.start(job)
    mark = Path(f"{file}-0")
    wait_for(lambda: mark.exists() and mark.read_text())
    wait_for(lambda: any(state.job == "0" for state in pool.workers()))
    pool.close()
    wait_for(lambda: not alive(mark.read_text()))


def test_a_scheduler_that_is_not_there(work, monkeypatch):
    monkeypatch.setattr("invcore_dask.clusters._WAIT_S", 1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InvcoreError, match="no answer"):
        Dask(DaskConfig(scheduler=f"tcp://127.0.0.1:{port}")).pool(work)
    with pytest.raises(InvcoreError, match="no answer"):
        Dask(DaskConfig(scheduler="not an address")).pool(work)


def test_a_queue_is_asked_as_the_settings_say(monkeypatch):
    """No queue is here: the script that would be submitted is looked at."""
    import dask_jobqueue
    from invcore_dask.clusters import _made

    monkeypatch.setattr(dask_jobqueue.SLURMCluster, "scale", lambda self, jobs: None)
    cluster = _made(DaskConfig(
        cluster="slurm", queue="short", account="lab", walltime="02:00:00", memory="8GB",
        gpus=1, directives=("--gres=gpu:1",),
    ))  # fmt: skip
    try:
        script = cluster.job_script()
    finally:
        cluster.close()
    for line in ("-p short", "-A lab", "-t 02:00:00", "--gres=gpu:1", "--resources GPU=1"):
        assert line in script
