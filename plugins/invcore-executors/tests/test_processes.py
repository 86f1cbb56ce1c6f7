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
    if do in ("first", "always"):  # a worker that others kill: once, or each time
        mark = Path(job["file"] + f"-{do}")
        died = int(mark.read_text()) if mark.exists() else 0
        mark.write_text(str(died + 1))
        if do == "always" or not died:
            os.kill(os.getpid(), signal.SIGKILL)
    if do == "interrupt":
        raise KeyboardInterrupt
    if do == "quit":
        raise SystemExit(5)
    if do == "flood":
        for _ in range(600):
            os.write(2, b"x" * 2**16)
            os.write(1, b"x" * 2**16)
            time.sleep(0.005)
        return {"status": "ok", "id": job["id"], "size": os.fstat(2).st_size}
    if do == "closed":
        sys.stdout.close(), sys.stderr.close(), os.close(1), os.close(2)
        return {"status": "ok", "id": job["id"]}
    if do == "leak":
        kept = []
        while True:
            kept.append(bytearray(b"x" * 2**24))
    if do == "spread":  # over processes of its own
        code = "import time; x = bytearray(b'x' * 2**28); time.sleep(600)"
        started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
        Path(job["file"]).write_text(str(started[0].pid))
        time.sleep(600)
    if do == "c loop":  # which never comes back to the interpreter
        "".join(["a"] * 40).startswith("b")
        import re
        re.match("(a+)+b", "a" * 60)
    if do == "daemon":
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                Path(job["file"]).write_text(str(os.getpid()))
                time.sleep(600)
            os._exit(0)
        time.sleep(600)
    if do == "stages":
        from invcore.plugin import sign
        sign("fit")
        Path(job["file"]).touch()
        time.sleep(600)
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
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES")
    return {
        "status": "ok", "id": job["id"], "pid": os.getpid(), "threads": threads, "gpu": gpu,
    }

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
    "abort": "the worker died: killed by signal 6 (SIGABRT)",
    "exit": "the worker died: exit code 7",
    "orphan": "the worker died: exit code 8",
}


def test_a_death_costs_its_own_job(work):
    """All deaths in one go, one after another; each is followed by a job that is done."""
    what = [word for death in DEATHS for word in ("", death)] + [""]
    found = by_id(executor(workers=1, retries=0).map(work, jobs(*what, kept=1)))
    assert len(found) == len(what)
    pids = set()
    for number, do in enumerate(what):
        if do:
            record = found[number]
            assert record["status"] == "error" and record["reason"] == DEATHS[do]
            said = {"abort": "terminate called: bad alloc"}.get(do)
            assert record.get("said") == said  # apart: what a program prints may be a secret
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
    assert taken == [0]  # the next one is asked for when this one's record was taken
    assert len(list(records)) == 3


def test_a_record_that_breaks_the_contract_is_a_failure(work):
    found = by_id(executor(workers=1).map(work, jobs("raise", "odd", "")))
    assert found[0]["reason"] == "ValueError: against the contract"
    assert found[1]["status"] == "error" and "JSON" in found[1]["reason"]
    assert found[2]["status"] == "ok"


def test_last_words_are_kept_on_wish(work):
    (found,) = executor(workers=1, keep_output=True).map(work, jobs("abort"))
    assert found["reason"].endswith("(SIGABRT); it said: terminate called: bad alloc")


def test_a_worker_that_is_killed_has_its_job_begun_again(work, tmp_path):
    file = tmp_path / "deaths"
    found = by_id(
        executor(workers=1, retries=2).map(work, jobs("first", "always", "", file=str(file)))
    )
    assert [found[i]["status"] for i in range(3)] == ["ok", "error", "ok"]
    assert Path(f"{file}-always").read_text() == "3"  # and two times more


@pytest.mark.parametrize("kills", [1, 2])
def test_workers_that_are_killed_before_any_has_started(work, kills):
    """One may be killed for nothing that the work did; two in a row are a sign."""
    with executor(workers=1, retries=1).pool(work) as pool:
        pool.start({"id": 0, "do": ""})
        for kill in range(1, kills + 1):
            (worker,) = pool._workers
            os.kill(worker.process.pid, signal.SIGKILL)
            worker.process.join()
            if kill < kills:
                assert pool.poll(0.0) is None and not pool._proven
        if kills == 1:
            assert pool.next()["status"] == "ok"
        else:
            with pytest.raises(InvcoreError, match=r"no worker starts: .*killed"):
                pool.next()


def test_what_would_end_a_worker_is_the_failure_of_its_job(work):
    found = by_id(executor(workers=1).map(work, jobs("interrupt", "quit", "closed", "")))
    assert found[0]["reason"] == "KeyboardInterrupt: no message"
    assert found[1]["reason"] == "SystemExit: 5"
    assert [found[i]["status"] for i in range(4)] == ["error", "error", "ok", "ok"]


def test_what_a_worker_prints_does_not_fill_the_disk(work):
    """80 MB on standard error, of which a few are there at any time."""
    (found,) = executor(workers=1).map(
        work, [{"id": 0, "do": "flood", "limits": {"memory_mib": 1e6}}]
    )
    assert found["status"] == "ok" and found["size"] < 20 * 2**20


LATE = {"hang": "", "c loop": "", "daemon": "pid", "child": "pid"}


@pytest.mark.parametrize("do", LATE)
def test_a_job_is_stopped_at_its_time_limit(work, tmp_path, do):
    """Whatever it does; with what it has started, in sessions of its own too."""
    file = tmp_path / "pid"
    late = {"id": 0, "do": do, "file": str(file), "limits": {"time_s": 2}}
    found = by_id(executor(workers=1).map(work, [late, {"id": 1, "do": ""}]))
    assert found[0]["reason"] == "stopped after 2 s, its time limit"
    assert found[0]["do"] == do and "limits" not in found[0]
    assert found[1]["status"] == "ok"
    if LATE[do]:
        wait_for(lambda: not alive(file.read_text()))


@pytest.mark.parametrize("do", ["leak", "spread"])
def test_a_job_is_stopped_at_its_memory_limit(work, tmp_path, do):
    file = tmp_path / "pid"
    greedy = {"id": 0, "do": do, "file": str(file), "limits": {"memory_mib": 1200}}
    found = by_id(executor(workers=1).map(work, [greedy, {"id": 1, "do": ""}]))
    assert "MiB of memory, its limit is 1,200 MiB" in found[0]["reason"]
    assert found[1]["status"] == "ok"
    if do == "spread":
        wait_for(lambda: not alive(file.read_text()))


def seen(who):
    """What workers do, after what they have said is heard: ``next`` does that, and waits."""
    pool = who._pool
    for worker in pool._workers:
        while worker.pipe.poll():
            pool._look(worker, True)
    return who.workers()


def test_workers_tell_what_they_do(work, tmp_path):
    file = tmp_path / "there"
    who = executor(workers=2)
    assert who.workers() == []
    records = who.map(work, jobs("", "stages", file=str(file)))
    next(records)
    wait_for(file.exists)
    wait_for(lambda: any(state.stage == "fit" for state in seen(who)))
    states = {state.job: state for state in who.workers()}
    assert states["1"].stage == "fit" and states["1"].heard >= states["1"].since > 0
    records.close()
    assert who.workers() == []


def test_gpus_are_dealt_out(work, monkeypatch):
    who = executor(workers=2, gpus="3,5")
    found = list(who.map(work, jobs("", "", "")))
    assert {record["gpu"] for record in found} <= {"3", "5"}
    with pytest.raises(InvcoreError, match="expected auto, all, or numbers"):
        executor(gpus="first").pool(work)


def test_a_child_is_stopped_with_its_job(work, tmp_path):
    file = tmp_path / "pid"
    late = {"id": 0, "do": "child", "file": str(file), "limits": {"time_s": 3}}
    found = by_id(executor(workers=1).map(work, [late, {"id": 1, "do": ""}]))
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
