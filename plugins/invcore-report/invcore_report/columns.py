"""The columns of a leaderboard: which there are, and how each is measured."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from invcore_report.curves import Interval
from invcore_report.method_summary import CALLS, Summary

if TYPE_CHECKING:
    from invcore.results import RunRecord

_TOLD = {  # metrics that the page has columns of its own for, or that say the same in other words
    "r_T", "r_T-median", "r_T-reranked", "resimulation-error-spread", "resimulation-error-median",
    "fit-time", "propose-time", "simulate-time", "time-per-1000-candidates", "simulator-calls",
    "parameters", "failed", "training-calls",
}  # fmt: skip
_WITHIN = re.compile(r"best-within-\d+-calls")
_DULL = {"unanswered", "out-of-bounds"}  # worth a column where it is not all zeros


@dataclass(frozen=True)
class Column:
    """A column of the leaderboard.

    Args:
        key: stands for it in JSON.
        title: above it.
        meaning: a line about it.
        better: ``lower``, ``higher`` or empty; methods are ranked where it says so.
    """

    key: str
    title: str
    meaning: str
    better: str = "lower"


Measure = Callable[[Summary], "Interval | None"]


def columns_of(summaries: Sequence[Summary], counts: Sequence[int]) -> list[tuple[Column, Measure]]:
    """The columns for some methods on one task.

    Args:
        summaries: what is known of them.
        counts: numbers of candidates T to have columns for.
    """
    columns: list[tuple[Column, Measure]] = []
    for T in counts:
        meaning = f"expected smallest error among {T} candidates" if T > 1 else "error of the first"
        columns.append((Column(f"r_{T}", f"r_{T}", meaning), partial(_raw, T)))
    meaning = "share of targets with a candidate that has a response; without all, no rank"
    columns.append((Column("answered", "answered", meaning, "higher"), _answered))
    for calls in CALLS:
        if any(calls in s.within for s in summaries):
            meaning = f"error within {calls} simulator calls a target, training pairs left out"
            column = Column(f"within_{calls}_calls", f"{calls} calls", meaning)
            columns.append((column, partial(_within, calls)))
    if any(s.reranked for s in summaries):
        meaning = "the same, with all methods' candidates ranked by one surrogate"
        for T in counts[:2]:
            column = Column(f"r_{T}-reranked", f"r_{T} re-ranked", meaning)
            columns.append((column, partial(_reranked, T)))
    columns.append((Column("median", "median r_1", "median over targets of r_1"), _median))
    columns += _of_metrics(summaries, counts)
    columns.append((Column("failed", "failed", "share of candidates without a response"), _failed))
    return columns + _COSTS


def _raw(T: int, summary: Summary) -> Interval | None:
    return summary.raw.at(T)


def _reranked(T: int, summary: Summary) -> Interval | None:
    return summary.reranked.at(T) if summary.reranked else None


def _answered(summary: Summary) -> Interval:
    return summary.answered


def _within(calls: int, summary: Summary) -> Interval | None:
    return summary.within.get(calls)


def _median(summary: Summary) -> Interval:
    return summary.median


def _failed(summary: Summary) -> Interval:
    return summary.failed


def _of_metrics(
    summaries: Sequence[Summary], counts: Sequence[int]
) -> list[tuple[Column, Measure]]:
    """Columns of what else the runs' records hold: posterior metrics, diversity, others'."""
    columns: dict[tuple[str, int | None], Column] = {}
    dull = set(_DULL)
    for summary in summaries:
        for record in summary.records:
            for metric in record.metrics:
                told = metric.name in _TOLD or bool(_WITHIN.fullmatch(metric.name))
                if told or metric.T not in (None, *counts):
                    continue
                key = metric.name if metric.T is None else f"{metric.name}_{metric.T}"
                unit = f", {metric.unit}" if metric.unit else ""
                column = Column(key, key, f"metric {metric.name}{unit}", metric.better)
                columns.setdefault((metric.name, metric.T), column)
                if metric.value:
                    dull.discard(metric.name)
    return [
        (column, partial(_of_records, name, T))
        for (name, T), column in columns.items()
        if name not in dull
    ]


def _of_records(name: str, T: int | None, summary: Summary) -> Interval | None:
    """A metric's mean over seeds; its interval is that of the one run, or the seeds' range.

    Where one seed has no number, nothing is said of them all; where one is infinite, the mean is.
    """
    metrics = [m for r in summary.records for m in r.metrics if m.name == name and m.T == T]
    values = [metric.number for metric in metrics if not math.isnan(metric.number)]
    if len(values) < len(summary.records):
        return None
    if math.inf in values:
        return Interval(math.inf, min(values), math.inf)
    mean = math.fsum(values) / len(values)
    low, high = metrics[0].ci_low, metrics[0].ci_high
    if len(values) > 1 or low is None or high is None:
        return Interval(mean, min(values), max(values))
    return Interval(mean, low, high)


def _cost(
    key: str, title: str, meaning: str, of: Callable[[RunRecord], float], better: str = "lower"
) -> tuple[Column, Measure]:
    def measure(summary: Summary) -> Interval:
        values = [float(of(record)) for record in summary.records]
        return Interval(summary.mean(of), min(values), max(values))

    return Column(key, title, meaning, better), measure


_COSTS = [
    _cost("fit_s", "fit, s", "seconds of training", lambda r: r.timings.fit_s),
    _cost(
        "propose_s_per_1000",
        "propose 1,000, s",
        "seconds to propose 1,000 candidates",
        lambda r: 1000 * r.timings.propose_s / (r.targets * r.candidates),
    ),
    _cost(
        "training_calls",
        "training calls",
        "simulator calls for the pairs that the method learns from, once for all targets",
        lambda r: r.training_calls,
    ),
    _cost("parameters", "parameters", "numbers in the model's state", lambda r: r.parameters, ""),
]
