"""Planted bad executors: each is caught by the check that is meant for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from invcore.plugin import Executor
from invcore.testing import CHECKS, Subject, run_checks


class Reference(Executor):
    """A good executor."""

    def map(self, work, jobs):
        return map(work, jobs)


class Backwards(Executor):
    """Good too; records come in any order."""

    def map(self, work, jobs):
        return iter(list(map(work, jobs))[::-1])


class OneThread(Executor):
    """Good too: a thread, but one job at a time."""

    def map(self, work, jobs):
        with ThreadPoolExecutor(1) as pool:
            yield from pool.map(work, jobs)


class Threads(Executor):
    """Two runs at once would share torch's global generators."""

    def map(self, work, jobs):
        with ThreadPoolExecutor(2) as pool:
            return iter(list(pool.map(work, jobs)))


class ForgetsTheLast(Executor):
    def map(self, work, jobs):
        return map(work, list(jobs)[:-1])


class DoesAllTwice(Executor):
    def map(self, work, jobs):
        for job in jobs:
            work(job)
            yield work(job)


class EmbellishesRecords(Executor):
    def map(self, work, jobs):
        return ({**work(job), "host": "here"} for job in jobs)


class StopsAtAFailure(Executor):
    def map(self, work, jobs):
        for job in jobs:
            record = work(job)
            yield record
            if record["status"] != "ok":
                return


class NeedsAJob(Executor):
    def map(self, work, jobs):
        jobs = list(jobs)
        yield work(jobs[0])
        yield from map(work, jobs[1:])


class CountsJobs(Executor):
    def map(self, work, jobs):
        return [work(job) for job, _ in zip(jobs, range(len(jobs)), strict=True)]


class MarksJobs(Executor):
    def map(self, work, jobs):
        for job in jobs:
            job["done"] = True
            yield work(job)


MUTANTS = [
    (ForgetsTheLast, ["every-job-once", ...]),
    (DoesAllTwice, ["every-job-once"]),
    (EmbellishesRecords, ["records-unchanged"]),
    (StopsAtAFailure, ["failures-pass-through"]),
    (NeedsAJob, ["no-jobs"]),
    (CountsJobs, ["jobs-from-an-iterator"]),
    (MarksJobs, ["jobs-unchanged"]),
    (Threads, ["one-job-at-a-time"]),
]


def failing(component):
    outcomes = run_checks(CHECKS["executor"], Subject.of("executor", "mutant", component))
    return {o.check.name: o.why for o in outcomes if o.result == "failed"}


@pytest.mark.parametrize("component", [Reference, Backwards, OneThread])
def test_the_good_ones_pass(component):
    assert failing(component) == {}


@pytest.mark.parametrize(
    ("component", "expected"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS]
)
def test_each_bad_one_is_caught(component, expected):
    found = failing(component)
    assert expected[0] in found
    assert ... in expected or set(found) == set(expected), found
