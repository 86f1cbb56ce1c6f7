"""Candidates that the space of designs does not allow."""

from __future__ import annotations

from invcore import Config, Estimate, Evaluation, Metric, bootstrap


class OutOfBounds(Metric[Config]):
    """The share of candidates outside the bounds, or not whole where they must be."""

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """One share, between 0 and 1."""
        outside = (~evaluation.designs.contains(evaluation.candidates)).double()
        share = bootstrap(outside.mean(dim=1), evaluation.generator("out-of-bounds"))
        return [Estimate("out-of-bounds", *share)]
