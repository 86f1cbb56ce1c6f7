"""Checks of executors: every job once, every record back."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from invcore.contracts.executor import Job, Record
from invcore.testing.check import Check, require

if TYPE_CHECKING:
    from invcore.testing.cases.subjects import Subject


def work(job: Job) -> Record:
    """The kit's work: it leaves a file for each call, and fails if the job says so."""
    name = f"{job['number']}-{os.getpid()}-{os.urandom(4).hex()}"
    (Path(job["folder"]) / name).touch()
    if job["fail"]:
        return {"status": "error", "reason": "as the job says", "number": job["number"]}
    return {"status": "ok", "number": job["number"], "nested": {"list": [1.5, None, "text"]}}


def _jobs(folder: str, count: int, fail: tuple[int, ...] = ()) -> list[Job]:
    return [{"number": i, "folder": folder, "fail": i in fail} for i in range(count)]


def check_every_job_once(subject: Subject) -> None:
    """Every job is done exactly once, and gives one record."""
    with tempfile.TemporaryDirectory() as folder:
        records = list(subject.build().map(work, _jobs(folder, 7)))
        calls = sorted(int(path.name.split("-")[0]) for path in Path(folder).iterdir())
    numbers = sorted(record["number"] for record in records)
    require(calls == list(range(7)), f"jobs 0 to 6: work was called for {calls}")
    require(numbers == list(range(7)), f"jobs 0 to 6: there are records of {numbers}")


def check_records_unchanged(subject: Subject) -> None:
    """Records come back as work gave them."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = _jobs(folder, 3)
        records = {r.get("number"): r for r in subject.build().map(work, jobs)}
        for job in jobs:
            found, expected = records.get(job["number"]), work(job)
            require(found == expected, f"job {job['number']}: {found}, expected {expected}")


def check_failures_pass_through(subject: Subject) -> None:
    """A failure is a record like any other; the jobs after it are done."""
    with tempfile.TemporaryDirectory() as folder:
        records = list(subject.build().map(work, _jobs(folder, 5, fail=(0, 2))))
    status = {record.get("number"): record.get("status") for record in records}
    expected = {0: "error", 1: "ok", 2: "error", 3: "ok", 4: "ok"}
    require(status == expected, f"jobs 0 and 2 fail, the others do not; the records say {status}")


def check_no_jobs(subject: Subject) -> None:
    """No jobs give no records."""
    records = list(subject.build().map(work, []))
    require(records == [], f"no jobs, but {len(records)} records")


def check_jobs_from_an_iterator(subject: Subject) -> None:
    """Jobs may come from an iterator that can be read once."""
    with tempfile.TemporaryDirectory() as folder:
        records = list(subject.build().map(work, iter(_jobs(folder, 4))))
    require(len(records) == 4, f"4 jobs from an iterator, {len(records)} records")


def check_jobs_unchanged(subject: Subject) -> None:
    """Jobs are as before."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = _jobs(folder, 3)
        list(subject.build().map(work, jobs))
        require(jobs == _jobs(folder, 3), "the jobs were changed")


EXECUTOR_CHECKS = tuple(
    Check.of(function)
    for function in (
        check_every_job_once,
        check_records_unchanged,
        check_failures_pass_through,
        check_no_jobs,
        check_jobs_from_an_iterator,
        check_jobs_unchanged,
    )
)
