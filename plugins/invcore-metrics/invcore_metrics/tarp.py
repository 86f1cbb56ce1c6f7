"""Tests of accuracy with random points: the coverage of regions around reference points."""

from torch import Tensor

from invcore.plugin import Config, Estimate, Evaluation, Field, Metric, UnfitError
from invcore.results import REFERENCES, Reference, bootstrap, calibration_draws, coverage_ranks
from invcore_metrics.independent_draws import independent_draws
from invcore_metrics.sbc import PER_BIN, chi_square_p, rank_deviation


class TarpConfig(Config):
    """Settings of ``tarp``."""

    references: tuple[Reference, ...] = Field(
        REFERENCES,
        min_length=1,
        description="Where distances are measured from: a draw of the target's own, the truth of "
        "an earlier target with a near response, that of any earlier target.",
    )
    bins: int = Field(
        20, ge=2, description="Bins of the chi-square test; fewer where there are few targets."
    )


class Tarp(Metric[TarpConfig]):
    """Whether credible regions around reference points hold the truth as often as they say.

    A region of credibility c is the share c of a target's draws that is nearest to a point. The
    share of targets whose truth is in theirs, the expected coverage, is c for draws of the
    posterior. ``tarp-p`` is the smallest p-value over the kinds of points of a chi-square test of
    that, times their number (Bonferroni), at most 1; ``tarp-deviation`` the largest difference
    between coverage and credibility. ``tarp-excess`` is the mean of coverage less credibility, over
    all levels, around points that are draws of the target's own: negative where draws are too
    narrow or lie beside the truth, positive where they are too wide, 0 for the posterior.

    One kind of points alone is blind to some mistakes: draws of the prior pass wherever the points
    do not go with the response (``candidate``, ``random``), and draws that are too narrow may have
    a mean coverage that is right. ``near`` sees the former.

    References:
        Lemos, Coogan, Hezaveh, Perreault-Levasseur, ICML 2023, https://arxiv.org/abs/2302.03026
    """

    Config = TarpConfig

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Three numbers, the last with an interval; nothing without the truth.

        Raises:
            UnfitError: the candidates are no independent draws, or they or the targets too few.
        """
        evaluation.need_exact()
        if evaluation.truth is None:
            return []
        draws = calibration_draws(
            independent_draws(evaluation), evaluation.truth, evaluation.targets,
            evaluation.generator("calibration"), context=evaluation.context,
        )  # fmt: skip
        bins = min(self.config.bins, len(draws.truth[1:]) // PER_BIN)
        if bins < 2:
            raise UnfitError(
                f"it needs {2 * PER_BIN + 1} targets with a truth and two candidates or more; "
                f"there are {len(draws.truth)}"
            )
        kinds = dict.fromkeys(self.config.references)
        ranks = {
            kind: coverage_ranks(draws, kind, evaluation.generator("tarp", kind))
            for kind in dict.fromkeys((*kinds, REFERENCES[0]))
        }
        smallest = min(_p(*ranks[kind], bins) for kind in kinds)
        largest = max(rank_deviation(*ranks[kind]) for kind in kinds)
        places, counts = ranks[REFERENCES[0]]
        excess = 0.5 - (places + 0.5) / (counts + 1)
        ends = bootstrap(excess, evaluation.generator("tarp-excess"))
        return [
            Estimate("tarp-p", min(1.0, smallest * len(kinds)), better="higher"),
            Estimate("tarp-deviation", largest),
            Estimate("tarp-excess", *ends, better=""),
        ]


def _p(ranks: Tensor, counts: Tensor, bins: int) -> float:
    """That ranks are uniform, with no more bins than there are ranks."""
    return chi_square_p(ranks, counts, min(bins, int(counts.max()) + 1))
