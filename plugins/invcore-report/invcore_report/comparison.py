"""Two runs side by side, target by target, and seed by seed where there are more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from scipy.stats import ttest_1samp, wilcoxon
from torch import Tensor

from invcore.plugin import DataError, StoreError
from invcore.results import Store
from invcore_report.curves import by_target, pooled
from invcore_report.method_summary import (
    CALLS,
    SPECIFICATION,
    counted_errors,
    tensors,
    within_calls,
)

if TYPE_CHECKING:
    from invcore.results import RunRecord

_COUNTS = (1, 50)
_LEAST = 1e-300  # an error of 0, so that it has a logarithm
_ROUNDING = 1e-6  # of the larger error: two ways to the same design differ by less


@dataclass(frozen=True)
class Difference:
    """How two methods differ in one quantity, paired by target.

    Args:
        name: of the quantity.
        first: mean of A.
        second: mean of B.
        ratio: of the means, A over B.
        ratio_low: lower end of its 95% bootstrap interval.
        ratio_high: upper end.
        log10_median: median over targets of log10(A / B).
        a_better: share of targets where A has the smaller error.
        b_better: share where B has.
        ties: share where they are equal, up to a millionth.
        p: two-sided. Of one seed, of Wilcoxon's signed-rank test on log10(A / B) over its targets;
            of several, of the t-test that its mean over each seed's targets is zero.
        targets: how many targets this is about, of all seeds.
        seeds: how many.
    """

    name: str
    first: float
    second: float
    ratio: float
    ratio_low: float
    ratio_high: float
    log10_median: float
    a_better: float
    b_better: float
    ties: float
    p: float
    targets: int
    seeds: int


@dataclass(frozen=True)
class Comparison:
    """Two methods, by runs of one seed or several.

    Args:
        first: A's run.
        second: B's run.
        differences: how they differ.
        seeds: that both have been run with, on the same targets.
        answered: shares of targets with an answer, of A and of B.
    """

    first: RunRecord
    second: RunRecord
    differences: tuple[Difference, ...]
    seeds: tuple[int, ...] = ()
    answered: tuple[float, float] = (1.0, 1.0)

    def document(self) -> dict[str, Any]:
        """The comparison as plain data."""
        return {
            "a": _facts(self.first) | {"answered": self.answered[0]},
            "b": _facts(self.second) | {"answered": self.answered[1]},
            "task": self.first.task,
            "seeds": list(self.seeds),
            "differences": [asdict(difference) for difference in self.differences],
        }


def compare_runs(store: Store, first: str, second: str) -> Comparison:
    """Compare two runs, and with them the runs of the same settings and other seeds.

    Args:
        store: where they are.
        first: the beginning of A's id.
        second: the beginning of B's id.

    Raises:
        DataError: they cannot be compared; the message says why.
        StoreError: one is damaged.
        UnknownNameError: no such run.
    """
    a, b = store.read(store.find(first)), store.read(store.find(second))
    _check(a, b)
    pairs = [(a, b), *_other_seeds(store, a, b)]
    parts = [(_numbers(store, one), _numbers(store, other)) for one, other in pairs]
    if not torch.equal(parts[0][0].targets, parts[0][1].targets):
        raise DataError(_cannot(a, b, "their targets differ"))
    same = [torch.equal(one.targets, other.targets) for one, other in parts]
    parts = [part for part, alike in zip(parts, same, strict=True) if alike]
    seeds = [pair[0].seed for pair, alike in zip(pairs, same, strict=True) if alike]
    names = [name for name in parts[0][0].rows if all(name in n.rows for p in parts for n in p)]
    rows = [
        difference(name, [one.rows[name] for one, _ in parts], [two.rows[name] for _, two in parts])
        for name in names
    ]
    count = sum(len(one.answered) for one, _ in parts)
    answered = [sum(int(part[i].answered.sum()) for part in parts) / count for i in (0, 1)]
    return Comparison(a, b, tuple(rows), tuple(seeds), (answered[0], answered[1]))


@dataclass(frozen=True)
class _Numbers:
    """What is known of a run's targets (B): by quantity, errors (B,); and which have an answer."""

    targets: Tensor
    answered: Tensor
    rows: dict[str, Tensor]


def _numbers(store: Store, record: RunRecord) -> _Numbers:
    arrays = tensors(store, record.id, "errors", "targets", "order", "penalty", *SPECIFICATION)
    errors = counted_errors(arrays)
    counts = sorted({min(count, errors.shape[1]) for count in _COUNTS})
    best = by_target(errors, counts, ranked=record.ranked)
    rows = {f"r_{T}": best[i] for i, T in enumerate(counts)}
    if "order" in arrays:
        again = by_target(errors, counts, ranked=True, order=arrays["order"])
        rows |= {f"r_{T} re-ranked": again[i] for i, T in enumerate(counts)}
    for calls, row in zip(CALLS, within_calls(store, record, errors), strict=True):
        if not bool(row.isnan().any()):
            rows[f"{calls} calls"] = row
    parts = [arrays[name] for name in ("targets", *SPECIFICATION[:2]) if name in arrays]
    targets = torch.cat(parts, dim=1).nan_to_num(nan=0.0)
    return _Numbers(targets, arrays["errors"].isfinite().any(dim=1), rows)


def _other_seeds(store: Store, a: RunRecord, b: RunRecord) -> list[tuple[RunRecord, RunRecord]]:
    """Pairs of runs with the settings and code of A and B, and other seeds."""
    siblings: list[dict[int, RunRecord]] = [{}, {}]
    for run in store.ids():
        try:
            record = store.read(run)
        except StoreError:
            continue
        for mine, of in zip(siblings, (a, b), strict=True):
            if (
                record.status == "ok"
                and record.seed != of.seed
                and _settings(record) == _settings(of)
            ):
                mine[record.seed] = record
    return [(siblings[0][s], siblings[1][s]) for s in sorted(siblings[0].keys() & siblings[1])]


def _settings(record: RunRecord) -> dict[str, Any]:
    """All that determines a run but its seed."""
    config = {k: v for k, v in record.config.items() if k not in ("seed", "metrics", "preset")}
    return config | {"schema": record.schema_version, "kind": record.kind}


def difference(name: str, first: Sequence[Tensor], second: Sequence[Tensor]) -> Difference:
    """Compare one number a target.

    Args:
        name: of the quantity.
        first: of A, (B,) for each seed.
        second: of B, likewise, for the same targets.
    """
    a, b = (torch.cat([part.double() for part in parts]) for parts in (first, second))
    seeds = [len(part) for part in first]
    tied = ((a - b).abs() <= _ROUNDING * torch.maximum(a, b)) | (a == b)
    log = a.clamp(min=_LEAST).log10() - b.clamp(min=_LEAST).log10()
    log = torch.where(tied, 0.0, log)
    means = pooled([0, 1], torch.stack([a, b]), seeds)
    ratio = means.resamples[0] / means.resamples[1]
    low, high = ratio.nanquantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    count = max(1, len(a))
    return Difference(
        name=name,
        first=float(a.mean()),
        second=float(b.mean()),
        ratio=float(means.mean[0] / means.mean[1]),
        ratio_low=low,
        ratio_high=high,
        log10_median=float(log.quantile(0.5)),
        a_better=int(((a < b) & ~tied).sum()) / count,
        b_better=int(((b < a) & ~tied).sum()) / count,
        ties=int(tied.sum()) / count,
        p=_p_value(log.split(seeds)),
        targets=len(a),
        seeds=len(seeds),
    )


def _check(a: RunRecord, b: RunRecord) -> None:
    """See that two runs answer the same question.

    Raises:
        DataError: they do not.
    """
    if a.id == b.id:
        raise DataError(f"run {a.id} is named twice; name two runs")
    for record in (a, b):
        if record.kind != "run":
            raise DataError(_cannot(a, b, f"{record.id} is a fitted model without candidates"))
        if record.status != "ok":
            raise DataError(
                _cannot(a, b, f"{record.id} did not end well ({record.status}: {record.reason})")
            )
    if a.task != b.task:
        raise DataError(_cannot(a, b, f"their tasks are {a.task} and {b.task}"))
    if a.config.get("task") != b.config.get("task"):
        raise DataError(_cannot(a, b, f"their settings of {a.task} differ"))
    for key, what in (
        ("want", "wishes"), ("want_file", "files of wishes"), ("responses", "derived responses")
    ):  # fmt: skip
        if a.config.get(key) != b.config.get(key):
            raise DataError(_cannot(a, b, f"their {what} differ"))
    for key in ("seed", "pairs", "targets"):
        mine, other = a.config.get(key), b.config.get(key)
        if mine != other:
            raise DataError(_cannot(a, b, f"they had other data ({key} {mine} and {other})"))


def _cannot(a: RunRecord, b: RunRecord, why: str) -> str:
    return f"runs {a.id} and {b.id} cannot be compared: {why}"


def _p_value(log: Sequence[Tensor]) -> float:
    """Two-sided, of log ratios by seed; 1 where no target differs.

    Targets of one seed share two fitted models: they say how sure the difference between those is.
    Several seeds are what a difference between methods has to hold over.
    """
    if not any(bool((part != 0).any()) for part in log):
        return 1.0
    if len(log) == 1:
        return float(wilcoxon(log[0][log[0] != 0].numpy()).pvalue)
    means = torch.stack([part.mean() for part in log])
    if bool((means == means[0]).all()):
        return 0.0 if float(means[0]) else 1.0
    return float(ttest_1samp(means.numpy(), 0.0).pvalue)


def _facts(record: RunRecord) -> dict[str, Any]:
    names = ("id", "method", "sampler", "seed", "candidates", "ranked", "parameters")
    return {name: getattr(record, name) for name in names} | {
        "timings": record.timings.model_dump(mode="json")
    }
