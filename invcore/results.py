"""Stored runs, the manifests of benches, and statistics of errors: what reports read."""

from invcore.benchmarking.manifest import (
    Ablation,
    Bench,
    BenchCell,
    Published,
    bench_names,
    read_bench,
)
from invcore.contracts.simulation.call_record import LEVELS as CALL_LEVELS
from invcore.contracts.simulation.call_record import History
from invcore.registry.metric_code import old_metrics
from invcore.runs.evaluation import history_of, specification_of
from invcore.runs.rescoring import Rescoring, rescore
from invcore.scoring.anytime import Pace, anytime
from invcore.scoring.calibration import (
    REFERENCES,
    CalibrationDraws,
    Reference,
    calibration_draws,
    coverage_ranks,
)
from invcore.scoring.equal_calls import best_within_calls
from invcore.scoring.expected_best import counted, expected_best
from invcore.scoring.intervals import bootstrap, bootstraps, median
from invcore.scoring.robustness import (
    Robustness,
    judged_robustness,
    simulated_robustness,
    wilson,
    worst_mean,
)
from invcore.scoring.specifications import hypervolume, known_goals, pareto_front
from invcore.storage.index.listed_run import ListedNumber
from invcore.storage.run_record import MetricRecord, RunRecord, Timings
from invcore.storage.store import Store

__all__ = [
    "CALL_LEVELS", "REFERENCES", "Ablation", "Bench", "BenchCell", "CalibrationDraws", "History",
    "ListedNumber", "MetricRecord", "Pace", "Published", "Reference", "Rescoring", "Robustness",
    "RunRecord", "Store", "Timings", "anytime", "bench_names", "best_within_calls", "bootstrap",
    "bootstraps", "calibration_draws", "counted", "coverage_ranks", "expected_best", "history_of",
    "hypervolume", "judged_robustness", "known_goals", "median", "old_metrics", "pareto_front",
    "read_bench", "rescore", "simulated_robustness", "specification_of", "wilson", "worst_mean",
]  # fmt: skip
