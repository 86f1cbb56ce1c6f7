"""The expected smallest error among T candidates."""

from invcore.plugin import Config, Estimate, Evaluation, Field, Metric
from invcore.results import bootstraps, expected_best, median


class ExpectedBestConfig(Config):
    """Settings of ``r_T``."""

    T: tuple[int, ...] = Field(
        (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
        min_length=1,
        description="Numbers of candidates; those above what a run has are left out.",
    )
    median: tuple[int, ...] = Field((1, 50), description="For which T to give the median too.")


class ExpectedBest(Metric[ExpectedBestConfig]):
    """r_T: the expected smallest error among T candidates, averaged over targets.

    Exchangeable candidates: the mean over all subsets of T, in closed form. Ranked ones: the
    smallest among the first T. A candidate without a response counts as the largest difference
    between its target and another response of the run. Of wishes, errors are violations (see
    ``Targets.error``), and goals have none. Intervals are bootstraps over targets.
    ``r_T-median`` is the median over targets. ``r_T-reranked`` is that of the candidates in the
    order of a common surrogate's errors, where the run has such an order: methods compare on equal
    terms there.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919, equation 2.
    """

    Config = ExpectedBestConfig

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """One estimate for each T, and the medians."""
        evaluation.need_errors()
        most = evaluation.errors.shape[1]
        counts = [t for t in dict.fromkeys(self.config.T) if 1 <= t <= most]
        errors = evaluation.counted
        best = expected_best(errors, counts, ranked=evaluation.ranked)
        named = [("r_T", count, values) for count, values in zip(counts, best, strict=True)]
        if evaluation.order is not None:
            sorted_errors = errors.gather(1, evaluation.order)
            again = expected_best(sorted_errors, counts, ranked=True)
            named += [("r_T-reranked", t, values) for t, values in zip(counts, again, strict=True)]
        ends = bootstraps([values for _, _, values in named], evaluation.generator("r_T"))
        estimates = [
            Estimate(name, *end, T=count) for (name, count, _), end in zip(named, ends, strict=True)
        ]
        for count, values in zip(counts, best, strict=True):
            if count in self.config.median:
                value = median(values)
                estimates.append(Estimate("r_T-median", value, T=count))
        return estimates
