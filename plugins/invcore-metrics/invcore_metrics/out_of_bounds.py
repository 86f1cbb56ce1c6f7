"""Candidates that the space of designs does not allow."""

import torch

from invcore.plugin import Config, Estimate, Evaluation, Metric
from invcore.results import bootstrap


class OutOfBounds(Metric[Config]):
    """The share of candidates outside the bounds, or not whole where they must be."""

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """One share, between 0 and 1."""
        shares = [
            (~evaluation.designs.contains(evaluation.candidates[rows])).double().mean(dim=1)
            for rows in evaluation.chunks()
        ]
        share = bootstrap(torch.cat(shares), evaluation.generator("out-of-bounds"))
        return [Estimate("out-of-bounds", *share)]
