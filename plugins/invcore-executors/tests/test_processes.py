"""What `processes` promises when workers die, hang, print, or lose their parent."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from invcore import InvcoreError
from invcore.registry.loader import installed

Processes = installed().registry.load("executor", "processes")

WORK = """
import os, signal, subprocess, sys, time
from pathlib import Path

def work(job):
    do = job["do"]
    if do == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "abort":
        print("nothing to see")
        os.write(2, b"terminate called: bad alloc\\n")
        os.abort()
    if do == "exit":
        os._exit(7)
    if do == "raise":
        raise ValueError("against\\nthe contract")
    if do == "odd":
        return {"status": {1, 2}}
    if do == "child":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(job["file"]).write_text(str(child.pid))
    if do == "orphan":  # dead, but its child holds the pipe open
        if os.fork() == 0:
            time.sleep(600)
        os._exit(8)
    if do in ("hang", "child"):
        try:
            Path(job["file"] + "-began").write_text(str(os.getpid()))
            time.sleep(600)
        finally:
            Path(job["file"] + "-cleaned").touch()
    print("on standard output")
    threads = os.environ["OMP_NUM_THREADS"]
    return {"status": "ok", "id": job["id"], "pid": os.getpid(), "threads": threads}

outer = [work]
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """The function above, in a module that workers can import."""
    (tmp_path / "made_up_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("made_up_work").work
    del sys.modules["made_up_work"]


def executor(**settings):
    return Processes(Processes.Config(**settings))


def jobs(*what, **more):
    return [{"id": i, "do": do, **more} for i, do in enumerate(what)]


def by_id(records):
    return {record["id"]: record for record in records}


def alive(pid):
    """Whether a process runs; one that is dead but not yet waited for does not."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] != "Z"


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


DEATHS = {
    "kill": "the worker died: killed by signal 9 (out of memory?)",
    "abort": "killed by signal 6 (SIGABRT); it said: terminate called: bad alloc",
    "exit": "the worker died: exit code 7",
    "orphan": "the worker died: exit code 8",
}


def test_a_death_costs_its_own_job(work):
    """All deaths in one go, one after another; each is followed by a job that is done."""
    what = [word for death in DEATHS for word in ("", death)] + [""]
    found = by_id(executor(workers=1).map(work, jobs(*what, kept=1)))
    assert len(found) == len(what)
    pids = set()
    for number, do in enumerate(what):
        if do:
            record = found[number]
            assert record["status"] == "error" and DEATHS[do] in record["reason"]
            assert (record["do"], record["kept"]) == (do, 1)  # it is the job, and what became of it
        else:
            assert found[number]["status"] == "ok"
            pids.add(found[number]["pid"])
    assert len(pids) == len(DEATHS) + 1 and os.getpid() not in pids


def test_workers_stay_and_have_their_threads(work, monkeypatch):
    found = list(executor(workers=1, threads=3).map(work, jobs("", "", "")))
    assert len({record["pid"] for record in found}) == 1
    assert {record["threads"] for record in found} == {"3"}


def test_jobs_are_taken_when_a_worker_is_free(work):
    taken = []

    def source():
        for job in jobs("", "", "", ""):
            taken.append(job["id"])
            yield job

    records = executor(workers=1).map(work, source())
    next(records)
    assert taken == [0, 1]  # the one that is done, and the next
    assert len(list(records)) == 3


def test_a_record_that_breaks_the_contract_is_a_failure(work):
    found = by_id(executor(workers=1).map(work, jobs("raise", "odd", "")))
    assert found[0]["reason"] == "ValueError: against the contract"
    assert found[1]["status"] == "error" and "JSON" in found[1]["reason"]
    assert found[2]["status"] == "ok"


def test_a_job_that_takes_too_long_is_stopped(work, tmp_path):
    file = tmp_path / "pid"
    records = executor(workers=1, limit_s=3).map(work, jobs("child", "", file=str(file)))
    found = by_id(records)
    assert found[0]["reason"] == "stopped after 3 s, the limit of a run"
    assert found[1]["status"] == "ok"
    assert Path(f"{file}-cleaned").exists()
    wait_for(lambda: not alive(file.read_text()))  # what it had started is gone too


def test_closing_ends_the_workers(work, tmp_path):
    file = tmp_path / "hang"
    records = executor(workers=2).map(work, jobs("", "hang", file=str(file)))
    first = next(records)
    wait_for(Path(f"{file}-began").exists)
    records.close()
    assert Path(f"{file}-cleaned").exists()
    assert not alive(first["pid"]) and not alive(Path(f"{file}-began").read_text())


def test_work_that_cannot_be_imported(work):
    def local(job):
        return job

    with pytest.raises(InvcoreError, match=r"no worker starts: .*exit code 1; it said: .*Error"):
        list(executor(workers=2).map(local, jobs("")))


def test_what_workers_print_is_kept_off_the_terminal(work, capfd):
    list(executor(workers=1).map(work, jobs("", "abort", "raise")))
    assert capfd.readouterr() == ("", "")


PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
from made_up_work import work
from invcore.registry.loader import installed

if __name__ == "__main__":
    Processes = installed().registry.load("executor", "processes")
    jobs = [{"id": i, "do": "hang", "file": f"{sys.argv[1]}/{i}"} for i in range(2)]
    list(Processes(Processes.Config(workers=2)).map(work, jobs))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent(work, tmp_path, number):
    (tmp_path / "parent.py").write_text(textwrap.dedent(PARENT))
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py"), str(tmp_path)], stderr=subprocess.PIPE
    )
    marks = [tmp_path / f"{i}-began" for i in range(2)]
    wait_for(lambda: all(mark.exists() and mark.read_text() for mark in marks))
    parent.send_signal(number)
    parent.communicate(timeout=600)
    wait_for(lambda: not any(alive(mark.read_text()) for mark in marks))
    assert all((tmp_path / f"{i}-cleaned").exists() for i in range(2))


def test_serial_goes_on_when_the_record_was_taken():
    serial = installed().registry.load("executor", "serial")()
    seen = []
    records = serial.map(lambda job: seen.append(job) or {"status": "ok"}, iter([1, 2]))
    assert seen == []
    next(records)
    assert seen == [1] and len(list(records)) == 1
