"""How different the candidates of a target are."""

import torch
from torch import Tensor

from invcore.plugin import Config, Estimate, Evaluation, Metric
from invcore.results import bootstrap


class Diversity(Metric[Config]):
    """Root mean square distance between two candidates of a target, in the prior's unit cube.

    The unit cube makes variables of any unit comparable. Two independent draws of the prior lie
    sqrt(Dx / 6) apart in this sense. Candidates without a response are left out.
    """

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """The mean over targets that have two candidates or more."""
        distances = [self._distance(evaluation, rows) for rows in evaluation.chunks()]
        ends = bootstrap(torch.cat(distances), evaluation.generator("diversity"))
        return [Estimate("diversity", *ends, better="higher")]

    def _distance(self, evaluation: Evaluation, rows: slice) -> Tensor:
        """For some targets (B,), NaN where fewer than two candidates have a response."""
        unit = evaluation.designs.to_unit(evaluation.candidates[rows].double())  # (B, K, Dx)
        mask = ~evaluation.errors[rows].isnan()
        count = mask.sum(dim=1)
        weight = mask[..., None].double() / count.clamp(min=1)[:, None, None]
        unit = torch.where(mask[..., None], unit, 0.0)
        mean = (weight * unit).sum(dim=1, keepdim=True)
        variance = (weight * (unit - mean).square()).sum(dim=(1, 2))
        # The mean squared distance of two of n points is 2 n / (n - 1) times their variance.
        factor = 2.0 * count / (count - 1).clamp(min=1)
        return torch.where(count > 1, (factor * variance).sqrt(), torch.nan)
