"""Candidates that are independent draws: what tests of calibration need."""

from torch import Tensor

from invcore.plugin import Evaluation, UnfitError


def independent_draws(evaluation: Evaluation) -> Tensor:
    """The candidates (B, K, Dx) of independent points; further ones where a run's own are not.

    Raises:
        UnfitError: there are none.
    """
    candidates = evaluation.candidates if evaluation.independent else evaluation.draws
    if candidates is None:
        raise UnfitError(
            "the candidates are no independent draws: take the sampler random, and a method "
            "that does not rank"
        )
    return candidates
