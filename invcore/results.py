"""Stored runs, the manifests of benches, and statistics of errors: what reports read."""

from invcore.benchmarking.manifest import (
    Ablation,
    Bench,
    BenchCell,
    Published,
    bench_names,
    read_bench,
)
from invcore.scoring.anytime import Pace, anytime
from invcore.scoring.expected_best import expected_best
from invcore.scoring.intervals import bootstrap, median
from invcore.storage.run_record import MetricRecord, RunRecord, Timings
from invcore.storage.store import Store

__all__ = [
    "Ablation", "Bench", "BenchCell", "MetricRecord", "Pace", "Published", "RunRecord", "Store",
    "Timings", "anytime", "bench_names", "bootstrap", "expected_best", "median", "read_bench",
]  # fmt: skip
