"""A comparison of two runs, for people."""

import math
from collections.abc import Sequence

from invcore_report.comparison import Comparison
from invcore_report.wording import number

_CLEAR = 0.05


def sentence(comparison: Comparison) -> str:
    """What the comparison says, by the largest number of candidates in the runs' own order."""
    own = [row for row in comparison.differences if row.name.startswith("r_")]
    row = [row for row in own if "re-ranked" not in row.name][-1]
    shares = comparison.answered
    if min(shares) < 1:
        who = " and ".join(n for n, share in zip("AB", shares, strict=True) if share < 1)
        leave = "leave" if max(shares) < 1 else "leaves"
        return f"Neither is called better: {who} {leave} targets without an answer."
    if row.ties == 1:
        return f"The two are equal on every target at {row.name}."
    size = (
        f"its {row.name} is {number(row.ratio)} times that of {{other}} "
        f"({number(row.ratio_low)} .. {number(row.ratio_high)}), p = {_small(row.p)}"
    )
    over = f", over {row.seeds} seeds and their targets" if row.seeds > 1 else ""
    if row.p >= _CLEAR:
        text = (
            f"No clear difference: A is better on {_percent(row.a_better)} of the targets, {size}"
        )
        return text.format(other="B") + over + "."
    name, other, share = "A", "B", row.a_better
    if row.b_better > row.a_better:
        name, other, share = "B", "A", row.b_better
        size = (
            f"its {row.name} is {number(1 / row.ratio if row.ratio else math.nan)} times that of A "
            f"({number(_over(row.ratio_high))} .. {number(_over(row.ratio_low))}), "
            f"p = {_small(row.p)}"
        )
    means = row.ratio if name == "A" else _over(row.ratio)
    but = "but " if means > 1 else ""  # a few bad targets can spoil the mean of the better run
    if row.seeds > 1:
        text = f"{name} is better on {_percent(share)} of the targets, {but}{size}{over}."
        return text.format(other=other) + _reversal(comparison, name)
    text = (
        f"Run {name} is better on {_percent(share)} of the targets, {but}{size}, over the targets "
        "of one seed: that is of these two fitted models. Run both with more seeds to compare the "
        "methods."
    )
    return text.format(other=other)


def _reversal(comparison: Comparison, winner: str) -> str:
    """That at equal simulator calls the other one is better, if it is."""
    for row in reversed([d for d in comparison.differences if d.name.endswith("calls")]):
        better = "A" if row.a_better > row.b_better else "B"
        if row.p < _CLEAR and better != winner:
            return f" Within {row.name} a target it is {better} (p = {_small(row.p)})."
    return ""


def table(comparison: Comparison) -> list[str]:
    """The comparison as lines for people."""
    runs = [("A", comparison.first), ("B", comparison.second)]
    lines = [
        f"{name}  {r.id}  {r.method} on {r.task}, sampler {r.sampler}, seed {r.seed}, "
        f"{r.candidates} candidates{' ranked by the method' if r.ranked else ''}"
        for name, r in runs
    ]
    if len(comparison.seeds) > 1:
        lines.append(f"with their runs of seeds {', '.join(map(str, sorted(comparison.seeds)))}")
    rows = [["", "A", "B", "A / B", "95% interval", "A better", "B better", "ties", "p"]]
    rows.append(["answered", *map(_percent, comparison.answered)])
    for d in comparison.differences:
        ends = f"{number(d.ratio_low)} .. {number(d.ratio_high)}"
        shares = [_percent(share) for share in (d.a_better, d.b_better, d.ties)]
        means = [number(value) for value in (d.first, d.second, d.ratio)]
        rows.append([d.name, *means, ends, *shares, _small(d.p)])
    for name, of in (("fit, s", "fit_s"), ("propose, s", "propose_s")):
        a, b = (getattr(record.timings, of) for _, record in runs)
        rows.append([name, number(a), number(b), number(a / b if b else math.nan)])
    calls = [record.training_calls for _, record in runs]
    rows.append(["training calls", *(number(float(count)) for count in calls)])
    lines += ["", *_aligned(rows), ""]
    if any(d.name.endswith("calls") for d in comparison.differences):
        lines.append(
            "r_T compares at equal proposals, calls at equal simulator calls a target, those for "
            "training pairs left out."
        )
    return [*lines, sentence(comparison)]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines: the first column to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=False))
        ).rstrip()
        for row in rows
    ]


def _percent(share: float) -> str:
    return "99.9%" if 0.995 <= share < 1 else f"{100 * share:.0f}%"


def _small(p: float) -> str:
    """A p value: of the order of 1e-30 nobody wants digits."""
    return "1" if p == 1 else f"{p:.2g}" if p >= 1e-3 else f"{p:.0e}".replace("e-0", "e-")


def _over(value: float) -> float:
    return 1 / value if value else math.nan
