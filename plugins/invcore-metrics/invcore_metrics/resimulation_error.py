"""The error of all candidates."""

from invcore.plugin import Config, Estimate, Evaluation, Metric
from invcore.results import bootstrap, median


class ResimulationError(Metric[Config]):
    """Mean over all candidates of the error, its spread over them, and the median.

    A target counts by the mean of its candidates; one without a response counts as the largest
    difference between the target and another response of the run.
    """

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Mean with its interval, standard deviation, median."""
        evaluation.need_errors()
        errors = evaluation.counted
        mean, low, high = bootstrap(errors.mean(dim=1), evaluation.generator("error"))
        values = errors.flatten()
        spread = float(values.std(unbiased=False)) if len(values) else float("nan")
        return [
            Estimate("resimulation-error", mean, low, high),
            Estimate("resimulation-error-spread", spread),
            Estimate("resimulation-error-median", median(values)),
        ]
