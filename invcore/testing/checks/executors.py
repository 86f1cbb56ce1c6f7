"""Checks of executors: every job once, every record back."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from invcore.contracts.executor import Job, Record
from invcore.testing.check import require

if TYPE_CHECKING:
    from invcore.testing.cases.component_under_test import Subject


def work(job: Job) -> Record:
    """The kit's work: it leaves a file for each call, and fails if the job says so."""
    name = f"{job['number']}-{os.getpid()}-{os.urandom(4).hex()}"
    (Path(job["folder"]) / name).touch()
    if job["fail"]:
        return {"status": "error", "reason": "as the job says", "number": job["number"]}
    return {"status": "ok", "number": job["number"], "nested": {"list": [1.5, None, "text"]}}


@contextmanager
def _jobs(count: int, fail: tuple[int, ...] = ()) -> Iterator[list[Job]]:
    """Numbered jobs, and a folder for their files as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        yield [{"number": i, "folder": folder, "fail": i in fail} for i in range(count)]


def check_every_job_once(subject: Subject) -> None:
    """Every job is done exactly once, and gives one record."""
    with _jobs(7) as jobs:
        records = list(subject.build().map(work, jobs))
        calls = sorted(int(p.name.split("-")[0]) for p in Path(jobs[0]["folder"]).iterdir())
    numbers = sorted(record["number"] for record in records)
    require(calls == list(range(7)), f"jobs 0 to 6: work was called for {calls}")
    require(numbers == list(range(7)), f"jobs 0 to 6: there are records of {numbers}")


def check_records_unchanged(subject: Subject) -> None:
    """Records come back as work gave them."""
    with _jobs(3) as jobs:
        records = {r.get("number"): r for r in subject.build().map(work, jobs)}
        for job in jobs:
            record, expected = records.get(job["number"]), work(job)
            require(record == expected, f"job {job['number']}: {record}, expected {expected}")


def check_failures_pass_through(subject: Subject) -> None:
    """A failure is a record like any other; the jobs after it are done."""
    with _jobs(5, fail=(0, 2)) as jobs:
        records = list(subject.build().map(work, jobs))
    status = {record.get("number"): record.get("status") for record in records}
    expected = {0: "error", 1: "ok", 2: "error", 3: "ok", 4: "ok"}
    require(status == expected, f"jobs 0 and 2 fail, the others do not; the records say {status}")


def check_no_jobs(subject: Subject) -> None:
    """No jobs give no records."""
    records = list(subject.build().map(work, []))
    require(records == [], f"no jobs, but {len(records)} records")


def check_jobs_from_an_iterator(subject: Subject) -> None:
    """Jobs may come from an iterator that can be read once."""
    with _jobs(4) as jobs:
        records = list(subject.build().map(work, iter(jobs)))
    require(len(records) == 4, f"4 jobs from an iterator, {len(records)} records")


def check_jobs_unchanged(subject: Subject) -> None:
    """Jobs are as before."""
    with _jobs(3) as jobs:
        before = [dict(job) for job in jobs]
        list(subject.build().map(work, jobs))
        require(jobs == before, "the jobs were changed")


_WAIT_S = 3.0  # for another job, of the first one in a thread that is not the main one
_INSIDE = threading.Condition()
_RUNNING: dict[str, int] = {}  # in this process: how many jobs are inside, by their folder
_SEEN: set[str] = set()  # folders of which a job has waited


def overlapping_work(job: Job) -> Record:
    """The kit's work for one check: it leaves a file when another job is inside in this process.

    Two jobs that may overlap need not, so that the first one in a thread waits for another to come
    in. One in the main thread does not: whatever overlaps with it is in a thread, and waits itself.
    """
    folder = job["folder"]
    with _INSIDE:
        _RUNNING[folder] = _RUNNING.get(folder, 0) + 1
        _INSIDE.notify_all()
        in_thread = threading.current_thread() is not threading.main_thread()
        if in_thread and folder not in _SEEN:
            _SEEN.add(folder)
            _INSIDE.wait_for(lambda: _RUNNING[folder] > 1, _WAIT_S)
        if _RUNNING[folder] > 1:
            (Path(folder) / f"{job['number']}-overlaps").touch()
        _RUNNING[folder] -= 1
    return {"status": "ok", "number": job["number"]}


def check_one_job_at_a_time(subject: Subject) -> None:
    """A process does one job at a time; more at once are in more processes."""
    with _jobs(4) as jobs:
        list(subject.build().map(overlapping_work, jobs))
        overlaps = list(Path(jobs[0]["folder"]).iterdir())
    require(
        not overlaps,
        "jobs overlap within one process, in threads: torch's global generators and number of "
        "threads are the process's, so use processes",
    )
