"""What the metrics that compare candidates with posterior samples share."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from invcore.plugin import Evaluation, Field
from invcore_metrics.prior_scale import design_scale
from invcore_metrics.reference import ReferenceConfig, reference


class PosteriorConfig(ReferenceConfig):
    """Settings of a comparison with reference samples."""

    most: int = Field(
        512, ge=2, description="Candidates of a target that are compared; drawn from more."
    )
    scale: Literal["prior", "none"] = Field(
        "prior",
        description="Unit of the designs: the prior's standard deviation of each variable, or "
        "their own.",
    )


@dataclass(frozen=True)
class Samples:
    """Candidates and reference samples of the same targets, in one unit.

    Args:
        candidates: (R, k, Dx), float64; a row of NaN for a design that is not finite.
        reference: (R, S, Dx), float64; rows of NaN at the end where a target has fewer than S.
    """

    candidates: Tensor
    reference: Tensor


def posterior_samples(evaluation: Evaluation, config: PosteriorConfig) -> Samples | None:
    """Candidates beside reference samples; None where there are none to compare with.

    All candidates whose design is finite count, with a response or without. Their order does not
    matter: they are sorted, and where there are more than ``most``, the same places are drawn for
    each target.
    """
    evaluation.need_exact()
    posterior = reference(evaluation, config)
    if posterior is None:
        return None
    scale = design_scale(evaluation) if config.scale == "prior" else 1.0
    x = evaluation.candidates[posterior.targets].double().cpu()
    x = _sorted(torch.where(x.isfinite().all(dim=2, keepdim=True), x, torch.nan))
    if x.shape[1] > config.most:
        places = torch.randperm(x.shape[1], generator=evaluation.generator("candidates"))
        x = x[:, places[: config.most].sort().values]
    return Samples(x / scale, posterior.samples / scale)


def _sorted(x: Tensor) -> Tensor:
    """Designs (R, K, Dx) in an order of their own, NaN last: along one oblique direction."""
    direction = (torch.arange(x.shape[2], dtype=x.dtype) + 2.0).sqrt()
    order = (x @ direction).argsort(dim=1, stable=True)
    return x.gather(1, order[..., None].expand_as(x))


def standardised(a: Tensor, b: Tensor) -> Tensor:
    """Two samples (R, n, D) and (R, m, D) as one (R, n + m, D), by b's mean and spread.

    Rows of NaN stay so. What is far is cut at 100 spreads, which any classifier sees as far.
    """
    mask = ~b.isnan().any(dim=2)
    share = mask[..., None] / mask.sum(dim=1).clamp(min=1)[:, None, None]
    filled = torch.where(mask[..., None], b, 0.0)
    mean = (share * filled).sum(dim=1, keepdim=True)
    spread = (share * (filled - mean).square()).sum(dim=1, keepdim=True).sqrt()
    x = (torch.cat((a, b), dim=1) - mean) / torch.where(spread > 0, spread, 1.0)
    return x.clamp(-100.0, 100.0)
