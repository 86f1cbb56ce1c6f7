"""Hits: candidates whose gap is near enough to the wanted one."""

from typing import Any

import torch

from invcore.plugin import Config, Estimate, Evaluation, Field, Metric, Task
from invcore.results import bootstrap
from invcore_crystal.task import CrystalMoS2


class HitsConfig(Config):
    """Settings of ``hits``."""

    tolerance: float = Field(0.1, gt=0, description="How far a hit may be off, eV.")


class Hits(Metric[HitsConfig]):
    """Shares of candidates near the wanted gap, and the mean absolute error.

    ``hits`` is over all targets, ``hits-semiconductor`` over those whose gap no metal hits: where
    0 is wanted, most designs are hits. A candidate without a response is none, and is as far off
    in ``gap-error`` as the worst response of the run; a target counts by its mean.

    References:
        Fung et al., npj Comput. Mater. 7:200 (2021), https://doi.org/10.1038/s41524-021-00670-x
    """

    Config = HitsConfig

    def applies(self, task: Task[Any]) -> bool:
        """To ``crystal-mos2`` alone."""
        return isinstance(task, CrystalMoS2)

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Two shares and an error, with their intervals over targets."""
        evaluation.need_exact()
        off = (evaluation.resimulated - evaluation.targets[:, None]).abs()  # (B, K, Dy)
        # a double is not exactly 0.1 more than another
        near = (off <= self.config.tolerance + 1e-9).all(dim=2).double().mean(dim=1)  # (B,)
        gapped = (evaluation.targets.abs() > self.config.tolerance + 1e-9).any(dim=1)
        # one response: the penalty is a squared difference, and this its root
        error = torch.where(off.isfinite().all(dim=2), off.mean(dim=2), evaluation.counted.sqrt())
        error = error.mean(dim=1)
        alone = torch.where(gapped, near, torch.nan)
        one, two, three = (
            bootstrap(values, evaluation.generator(name))
            for name, values in (("hits", near), ("hits-semiconductor", alone), ("gap", error))
        )
        return [
            Estimate("hits", *one, better="higher"),
            Estimate("hits-semiconductor", *two, better="higher"),
            Estimate("gap-error", *three, unit="eV"),
        ]
