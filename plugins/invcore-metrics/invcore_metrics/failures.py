"""Candidates that have no response."""

from invcore.plugin import Config, Estimate, Evaluation, Metric
from invcore.results import bootstrap


class Failures(Metric[Config]):
    """The share of candidates without a response, and of targets for which all are so."""

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Two shares, each between 0 and 1."""
        failed = evaluation.errors.isnan().double()
        share = bootstrap(failed.mean(dim=1), evaluation.generator("failed"))
        unanswered = bootstrap(failed.amin(dim=1), evaluation.generator("unanswered"))
        return [Estimate("failed", *share), Estimate("unanswered", *unanswered)]
