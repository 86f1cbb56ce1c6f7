"""Expected coverage: how often credible regions hold the truth, over what they say."""

from collections.abc import Mapping

import torch
from scipy.stats import binom
from torch import Tensor

from invcore.plugin import InvcoreError, drawn, generator
from invcore.results import Store, calibration_draws, coverage_ranks
from invcore_report.collect import Collection
from invcore_report.leaderboard import Board
from invcore_report.method_summary import tensors
from invcore_report.pictures import Gallery, Picture
from invcore_report.style import Style

METHODS = 8  # in one picture
FEWEST = 10  # targets that make a curve
_SIZE = (4.6, 4.3)
_LEVELS = torch.linspace(0, 1, 101, dtype=torch.float64)
_MASS = 0.95
_MARK = 0.1  # of the diagonal of the axes, between a line's markers


def coverage_chart(
    board: Board,
    collection: Collection,
    store: Store,
    styles: Mapping[str, Style],
    gallery: Gallery,
) -> list[Picture]:
    """The share of targets whose truth is in a region of some credibility, of the best methods.

    What cannot be read is left out, and said to be. Nothing where no run has independent draws
    and truths of some targets.
    """
    task = board.task
    curves: dict[str, Tensor] = {}
    for summary in [row.summary for row in board.rows]:
        record = summary.records[0]
        try:
            found = credibility_of_truths(store, record.id, record.seed)
        except InvcoreError as error:
            collection.omit(f"coverage of {task}, {summary.method}", str(error))
            continue
        if found is not None and len(curves) < METHODS:
            curves[summary.method] = found
    if not curves:
        return []
    count = min(map(len, curves.values()))
    with gallery.figure(*_SIZE) as figure:
        axes = figure.add_subplot()
        levels = _LEVELS.numpy()
        low, high = chance_band(_LEVELS, count)
        axes.fill_between(levels, low, high, color="0.5", alpha=0.18, linewidth=0)
        axes.plot([0, 1], [0, 1], color="0.5", linewidth=1)
        for method, found in curves.items():
            style = styles[method]
            axes.plot(
                levels, coverage(found, _LEVELS).numpy(), color=style.colour, linestyle=style.dash,
                linewidth=1.4, marker=style.marker, markersize=4, markevery=_MARK,
                label=drawn(method),
            )  # fmt: skip
        axes.grid(True)
        axes.set(xlabel="credibility", ylabel="targets whose truth is in the region",
                 xlim=(0, 1), ylim=(0, 1), aspect="equal")  # fmt: skip

        def finish() -> None:
            axes.set_title(drawn(f"{task}: expected coverage"), fontsize="medium")
            figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize="small")

        one = " (first seed)" if any(len(row.summary.records) > 1 for row in board.rows) else ""
        caption = (
            f"Expected coverage{one}: below the diagonal, draws are too narrow or beside the "
            f"truth, above it too wide; the band has {_MASS:.0%} of what chance gives the "
            f"posterior's own draws at each credibility, with {count} targets"
        )
        return [gallery.chart(f"{task}-coverage", caption, figure, finish)]


def credibility_of_truths(store: Store, run: str, seed: int) -> Tensor | None:
    """The credibility of the smallest region that holds a target's truth (B,).

    Regions are around one of the target's own draws, as in the metric ``tarp``. A truth is
    somewhere between the draws that are nearer and those that are not, and chance says where: so
    the values are uniform for draws of the posterior, however few they are.

    Args:
        store: where.
        run: its id.
        seed: of the run.

    Returns:
        None of a run without independent draws or truths, or with too few of either.

    Raises:
        StoreError: the file is missing or damaged.
    """
    held = tensors(store, run, "targets", "truth", "independent")
    if "truth" not in held or "independent" not in held:
        return None
    name = "candidates" if bool(held["independent"].all()) else "draws"
    draws = tensors(store, run, name).get(name)
    if draws is None:
        return None
    made = calibration_draws(
        draws, held["truth"], held["targets"], generator(seed, "metric", "calibration")
    )
    if len(made.truth) < FEWEST:
        return None
    random = generator(seed, "metric", "tarp", "candidate")
    ranks, counts = coverage_ranks(made, "candidate", random)
    return (ranks + torch.rand(len(ranks), generator=random, dtype=torch.float64)) / (counts + 1)


def coverage(credibility: Tensor, levels: Tensor) -> Tensor:
    """The share of truths (B,) in regions of these levels (L,).

    Example:
        >>> coverage(torch.tensor([0.1, 0.9]), torch.tensor([0.0, 0.5, 1.0]))
        tensor([0.0000, 0.5000, 1.0000], dtype=torch.float64)
    """
    return (credibility <= levels[:, None]).double().mean(dim=1)


def chance_band(levels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Between what shares of so many targets the coverage is in 95% of cases, at each level.

    Exact: how many truths are in regions of credibility c is binomial.

    Example:
        >>> [float(end[0]) for end in chance_band(torch.tensor([0.5], dtype=torch.float64), 10)]
        [0.2, 0.8]
    """
    tail = (1 - _MASS) / 2
    ends = (binom.ppf(share, count, levels.numpy()) for share in (tail, 1 - tail))
    low, high = (torch.from_numpy(end).clamp(0, count) / count for end in ends)
    return low, high
