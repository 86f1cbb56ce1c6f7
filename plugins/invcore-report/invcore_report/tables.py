"""The tables of the page beside the leaderboards: published figures, ablations, costs, settings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from invcore.results import Published
from invcore_report.collect import Collection
from invcore_report.curves import Interval
from invcore_report.labels import flat
from invcore_report.leaderboard import Board, Row
from invcore_report.method_summary import Summary


@dataclass(frozen=True)
class Beside:
    """A published figure and ours.

    Args:
        published: the figure.
        ours: None where we have none.
        verdict: ``better``, ``worse``, ``equal``, ``near`` (it lies in our interval) or empty.
        ratio: ours over theirs; NaN where it cannot be said.
    """

    published: Published
    ours: Interval | None
    verdict: str
    ratio: float


@dataclass(frozen=True)
class Compared:
    """A method of an ablation: its row on a task, and its error over that of the first method."""

    row: Row
    ratio: float


def beside(board: Board, published: Sequence[Published]) -> list[Beside]:
    """The published figures of a task beside ours."""
    rows = {row.summary.name: row for row in reversed(board.rows)}  # the best of each name stays
    result = []
    for figure in published:
        if figure.task == board.task:
            row = rows.get(figure.method)
            ours = _ours(row, figure) if row else None
            result.append(_verdict(figure, ours, board))
    return result


def _ours(row: Row, figure: Published) -> Interval | None:
    summary = row.summary
    if figure.metric == "r_T" and figure.T is not None:
        return summary.raw.at(figure.T)
    if figure.metric == "r_T-reranked" and figure.T is not None:
        return summary.reranked.at(figure.T) if summary.reranked else None
    key = figure.metric if figure.T is None else f"{figure.metric}_{figure.T}"
    if key in row.cells:
        return row.cells[key]
    values = [
        metric.value
        for record in summary.records
        for metric in record.metrics
        if (metric.name, metric.T) == (figure.metric, figure.T) and metric.value is not None
    ]
    if not values:
        return None
    return Interval(math.fsum(values) / len(values), min(values), max(values))


def _verdict(figure: Published, ours: Interval | None, board: Board) -> Beside:
    if ours is None or math.isnan(ours.value):
        return Beside(figure, None, "", math.nan)
    better = {
        metric.better
        for row in board.rows
        for record in row.summary.records
        for metric in record.metrics
        if metric.name == figure.metric
    }
    higher = "higher" in better
    verdict = "equal"
    if ours.low <= figure.value <= ours.high and ours.low < ours.high:
        verdict = "near"
    elif ours.value != figure.value:
        verdict = "better" if (ours.value > figure.value) == higher else "worse"
    ratio = ours.value / figure.value if figure.value else math.nan
    return Beside(figure, ours, verdict, ratio)


def wanted_counts(collection: Collection) -> dict[str, list[int]]:
    """Which T the published figures need, by task."""
    counts: dict[str, list[int]] = {}
    for figure in collection.published:
        if figure.T is not None:
            counts.setdefault(figure.task, []).append(figure.T)
    return counts


def ablation(board: Board, methods: Sequence[str]) -> list[Compared]:
    """The methods of an ablation on one task, in the manifest's order; absent ones are left out.

    A method that ran with several samplers has a row for each.
    """
    rows = [row for name in methods for row in board.rows if row.summary.name == name]
    values = [row.cells[board.headline].value for row in rows if board.headline in row.cells]
    result = []
    for row in rows:
        mine = row.cells.get(board.headline)
        ratio = mine.value / values[0] if mine and values[0] > 0 else math.nan
        result.append(Compared(row, ratio))
    return result


def costs(summary: Summary) -> list[float]:
    """Means over seeds: seconds to fit, propose and simulate, ms a target, µs a call, calls,
    parameters, targets.
    """
    return [
        summary.mean(lambda r: r.timings.fit_s),
        summary.mean(lambda r: r.timings.propose_s),
        summary.mean(lambda r: r.timings.simulate_s),
        1e3 * summary.propose_s,
        1e6 * summary.call_s,
        summary.mean(lambda r: r.simulator_calls),
        summary.mean(lambda r: r.parameters),
        summary.mean(lambda r: r.targets),
    ]


def settings(summary: Summary) -> dict[str, str]:
    """All settings of a method's runs, flat, but for those of metrics."""
    config: dict[str, Any] = {
        k: v
        for k, v in summary.records[0].config.items()
        if k not in ("metrics", "versions", "seed", "device")
    }
    return flat(config)


def environment(summaries: Sequence[Summary]) -> dict[str, str]:
    """Versions, devices and seeds of all runs; where runs differ, all that there were."""
    records = [record for summary in summaries for record in summary.records]
    names = sorted({name for record in records for name in record.versions})
    facts = {"devices": {r.device for r in records}, "seeds": {str(r.seed) for r in records}}
    versions = {n: {r.versions[n] for r in records if n in r.versions} for n in names}
    dates = sorted(record.created for record in records if record.created)
    result = {key: ", ".join(sorted(values)) for key, values in (facts | versions).items()}
    if dates:
        result["first run"], result["last run"] = dates[0], dates[-1]
    return result
