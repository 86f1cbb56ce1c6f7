"""Two runs side by side, target by target."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from scipy.stats import wilcoxon
from torch import Tensor

from invcore.plugin import DataError
from invcore.results import Store
from invcore_report.curves import by_target, pooled
from invcore_report.method_summary import tensors

if TYPE_CHECKING:
    from invcore.results import RunRecord

_COUNTS = (1, 50)
_LEAST = 1e-300  # an error of 0, so that it has a logarithm
_ROUNDING = 1e-6  # of the larger error: two ways to the same design differ by less


@dataclass(frozen=True)
class Difference:
    """How two runs differ in one quantity, paired by target.

    Args:
        name: of the quantity.
        first: mean of run A.
        second: mean of run B.
        ratio: of the means, A over B.
        ratio_low: lower end of its 95% bootstrap interval.
        ratio_high: upper end.
        log10_median: median over targets of log10(A / B).
        a_better: share of targets where A has the smaller error.
        b_better: share where B has.
        ties: share where they are equal, up to a millionth.
        p: of Wilcoxon's signed-rank test on log10(A / B), two-sided.
        targets: how many targets this is about: those that both runs answer.
        a_alone: how many further targets only A answers.
        b_alone: how many only B answers.
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
    a_alone: int
    b_alone: int


@dataclass(frozen=True)
class Comparison:
    """Two runs, and how they differ."""

    first: RunRecord
    second: RunRecord
    differences: tuple[Difference, ...]

    def document(self) -> dict[str, Any]:
        """The comparison as plain data."""
        return {
            "a": _facts(self.first),
            "b": _facts(self.second),
            "task": self.first.task,
            "differences": [asdict(difference) for difference in self.differences],
        }


def compare_runs(store: Store, first: str, second: str) -> Comparison:
    """Compare two runs.

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
    arrays = [tensors(store, record.id, "errors", "targets", "order") for record in (a, b)]
    if not torch.equal(arrays[0]["targets"], arrays[1]["targets"]):
        raise DataError(_cannot(a, b, "their targets differ"))
    errors = [part["errors"] for part in arrays]
    most = min(part.shape[1] for part in errors)
    counts = sorted({min(count, most) for count in _COUNTS})
    best = [
        by_target(part, counts, ranked=record.ranked)
        for part, record in zip(errors, (a, b), strict=True)
    ]
    rows = [difference(f"r_{T}", best[0][i], best[1][i]) for i, T in enumerate(counts)]
    if all("order" in part for part in arrays):
        again = [by_target(p["errors"], counts, ranked=True, order=p["order"]) for p in arrays]
        rows += [
            difference(f"r_{T} re-ranked", again[0][i], again[1][i]) for i, T in enumerate(counts)
        ]
    return Comparison(a, b, tuple(rows))


def difference(name: str, first: Tensor, second: Tensor) -> Difference:
    """Compare one number a target.

    Args:
        name: of the quantity.
        first: (B,), of run A; NaN where it has no answer.
        second: (B,), of run B.
    """
    both = first.isfinite() & second.isfinite()
    a, b = first[both].double(), second[both].double()
    tied = (a - b).abs() <= _ROUNDING * torch.maximum(a, b)
    log = a.clamp(min=_LEAST).log10() - b.clamp(min=_LEAST).log10()
    log = torch.where(tied, 0.0, log)
    nan = math.nan
    ratios = [nan] * 3
    if len(a):
        means = pooled([0, 1], torch.stack([a, b]))
        ratio = means.resamples[0] / means.resamples[1]
        ends = ratio.nanquantile(torch.tensor([0.025, 0.975], dtype=torch.float64))
        ratios = [float(means.mean[0] / means.mean[1]), *ends.tolist()]
    count = max(1, len(a))
    return Difference(
        name=name,
        first=float(a.mean()) if len(a) else nan,
        second=float(b.mean()) if len(a) else nan,
        ratio=ratios[0],
        ratio_low=ratios[1],
        ratio_high=ratios[2],
        log10_median=float(log.quantile(0.5)) if len(a) else nan,
        a_better=int(((a < b) & ~tied).sum()) / count,
        b_better=int(((b < a) & ~tied).sum()) / count,
        ties=int(tied.sum()) / count,
        p=_p_value(log),
        targets=len(a),
        a_alone=int((first.isfinite() & ~second.isfinite()).sum()),
        b_alone=int((second.isfinite() & ~first.isfinite()).sum()),
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
    for key in ("seed", "pairs", "targets"):
        mine, other = a.config.get(key), b.config.get(key)
        if mine != other:
            raise DataError(_cannot(a, b, f"they had other data ({key} {mine} and {other})"))


def _cannot(a: RunRecord, b: RunRecord, why: str) -> str:
    return f"runs {a.id} and {b.id} cannot be compared: {why}"


def _p_value(log: Tensor) -> float:
    """Wilcoxon's two-sided p; 1 where no target differs."""
    if not bool((log != 0).any()):
        return 1.0
    return float(wilcoxon(log[log != 0].numpy()).pvalue)


def _facts(record: RunRecord) -> dict[str, Any]:
    names = ("id", "method", "sampler", "seed", "candidates", "ranked", "parameters")
    return {name: getattr(record, name) for name in names} | {
        "timings": record.timings.model_dump(mode="json")
    }
