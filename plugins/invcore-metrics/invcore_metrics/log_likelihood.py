"""How likely the model finds the designs behind the targets."""

import torch

from invcore.plugin import Config, Estimate, Evaluation, Metric
from invcore.results import bootstrap


class LogLikelihood(Metric[Config]):
    """The mean of the model's log p(truth | target), in nats, for designs in their own units.

    Only for methods with a density. Values compare on one task alone: they change with the units
    of the designs. A target whose density is no number counts as minus infinity, as one does whose
    truth the model holds impossible.
    """

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """The mean over targets; nothing where the model has no density."""
        evaluation.need_exact()
        values = evaluation.log_density
        if values is None or bool(values.isnan().all()):
            return []
        values = torch.where(values.isnan(), -torch.inf, values)
        mean, low, high = bootstrap(values, evaluation.generator("log-likelihood"))
        return [Estimate("log-likelihood", mean, low, high, unit="nats", better="higher")]
