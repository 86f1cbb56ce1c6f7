"""Simulation-based calibration: whether the truth has a uniform rank among the candidates."""

import torch
from torch import Tensor

from invcore.plugin import Config, Estimate, Evaluation, Field, Metric
from invcore_metrics.independent_draws import independent_draws

PER_BIN = 5  # targets that a bin of the chi-square test should have at least
_KNOTS = 257  # where distribution functions of ranks are compared, at most


class SbcConfig(Config):
    """Settings of ``sbc``."""

    bins: int = Field(
        20, ge=2, description="Bins of the chi-square test; fewer where there are few targets."
    )


def chi_square_p(ranks: Tensor, counts: Tensor, bins: int) -> float:
    """The p-value of Pearson's chi-square test that ranks are uniform.

    Args:
        ranks: (B,), whole numbers from 0 to counts.
        counts: (B,), how many candidates each was ranked among.
        bins: of equal width in rank / (count + 1); the expected numbers take account of how many
            ranks fall in each.

    Returns:
        The chance of a deviation as large as this one; 1 if there is but one bin.

    Example:
        >>> ranks = torch.tensor([0, 1, 2, 3] * 10)
        >>> chi_square_p(ranks, torch.full((40,), 3), bins=4)
        1.0
    """
    observed = torch.bincount(ranks * bins // (counts + 1), minlength=bins).double()
    # Rank r is in bin floor(r bins / (count + 1)): bin j begins at ceil(j (count + 1) / bins).
    starts = -(-torch.arange(bins + 1) * (counts[:, None] + 1) // bins)  # (B, bins + 1)
    shares = (starts[:, 1:] - starts[:, :-1]).double() / (counts[:, None] + 1)
    expected = shares.sum(dim=0)
    mask = expected > 0
    statistic = ((observed - expected).square()[mask] / expected[mask]).sum()
    freedom = int(mask.sum()) - 1
    if freedom < 1:
        return 1.0
    half = torch.tensor([0.5 * freedom], dtype=torch.float64)
    return float(torch.special.gammaincc(half, 0.5 * statistic[None])[0])


def rank_deviation(ranks: Tensor, counts: Tensor) -> float:
    """The largest difference between the distribution function of ranks and the uniform one.

    Args:
        ranks: (B,), whole numbers from 0 to counts.
        counts: (B,), how many candidates each was ranked among; a rank is spread evenly over its
            share of [0, 1].

    Example:
        >>> rank_deviation(torch.tensor([0, 0, 1, 1]), torch.full((4,), 3))
        0.5
    """
    knots = min(_KNOTS, int(counts.max()) + 1)
    at = torch.arange(knots + 1, dtype=torch.float64) / knots
    below = (at * (counts[:, None] + 1) - ranks[:, None]).clamp(0.0, 1.0).mean(dim=0)
    return float((below - at).abs().max())


class Sbc(Metric[SbcConfig]):
    """The truth's rank among the candidates, variable by variable: uniform for the posterior.

    ``sbc-p`` is the smallest p-value of the variables' chi-square tests, times their number
    (Bonferroni), at most 1. ``sbc-deviation`` is the largest difference between the ranks'
    distribution function and the uniform one. Among equal values the place is drawn. Ranks are
    uniform among independent draws alone: candidates of space-filling points are replaced by others
    that independent points drive, or nothing is said. A method that seeks good designs instead of
    sampling the posterior is not expected to pass: for it this is a diagnostic.

    References:
        Talts et al., 2018, https://arxiv.org/abs/1804.06788
    """

    Config = SbcConfig

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Two numbers without intervals; nothing without the truth or with too few targets."""
        evaluation.need_exact()
        if evaluation.truth is None:
            return []
        candidates = independent_draws(evaluation)
        finite = candidates.isfinite().all(dim=2)
        usable = finite.any(dim=1) & evaluation.truth.isfinite().all(dim=1)
        counts = finite.sum(dim=1)[usable].cpu()
        if not len(counts):
            return []
        bins = min(self.config.bins, len(counts) // PER_BIN, int(counts.max()) + 1)
        if bins < 2:
            return []
        ranks = self._ranks(evaluation, candidates, evaluation.truth)[usable].cpu()  # (B, Dx)
        columns = ranks.unbind(dim=1)
        smallest = min(chi_square_p(column, counts, bins) for column in columns)
        largest = max(rank_deviation(column, counts) for column in columns)
        return [
            Estimate("sbc-p", min(1.0, smallest * len(columns)), better="higher"),
            Estimate("sbc-deviation", largest),
        ]

    def _ranks(self, evaluation: Evaluation, candidates: Tensor, truth: Tensor) -> Tensor:
        """How many finite candidates are below the truth (B, Dx), the place among equals drawn."""
        generator = evaluation.generator("sbc")
        ranks = []
        for rows in evaluation.chunks():
            x = candidates[rows]
            x = torch.where(x.isfinite().all(dim=2, keepdim=True), x, torch.nan)
            row_truth = truth[rows, None].to(x)
            below, equal = (x < row_truth).sum(dim=1), (x == row_truth).sum(dim=1)
            draw = torch.rand(equal.shape, generator=generator, dtype=torch.float64)
            ranks.append(below + (draw.to(x.device) * (equal + 1)).long())
        return torch.cat(ranks)
