"""Stores of many small runs, written by hand."""

from __future__ import annotations

import os

import pytest
import torch

from invcore.storage.run_record import MetricRecord, RunRecord, Scoring
from invcore.storage.store import Store

BEGAN = 1_700_000_000


def small_run(number, **facts):
    """A record with numbers of its own."""
    r = [MetricRecord(name="r_T", T=T, value=number / T, metric="r_T") for T in (1, 50)]
    common = {
        "id": f"{number:012x}", "task": "line", "method": f"m{number % 3}", "sampler": "lhs",
        "candidates": 50, "targets": 4, "seed": number, "device": "cpu", "metrics": tuple(r),
        "created": "2026-01-01T00:00:00+00:00", "notes": ("a note",) if number % 7 == 0 else (),
        "scoring": {"r_T": Scoring(plugin="p", version="1", code="c0de")},
    }  # fmt: skip
    return RunRecord(**(common | facts))


@pytest.fixture
def small():
    return small_run


@pytest.fixture
def stored(tmp_path):
    """A store of this many runs, written some time ago."""

    def make(count, name="runs", first=0):
        store = Store(tmp_path / name)
        for number in range(first, first + count):
            record = small_run(number)
            store.write(record, tensors={"model": {"w": torch.tensor([float(number)])}})
            age(store, record.id, number)
        return store

    return make


def age(store, run, number=0):
    """Make a run's folder and record of long ago."""
    for path in (store.path(run) / "run.json", store.path(run)):
        os.utime(path, (BEGAN + number, BEGAN + number))


@pytest.fixture(name="age")
def age_fixture():
    return age
