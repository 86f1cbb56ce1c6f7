"""What a record says of designs that were simulated: the best error, and targets that are met."""

from __future__ import annotations

import math

import torch

from invcore.plugin import generator
from invcore.results import MetricRecord, bootstrap
from invcore_solve.answers.proposal import Proposal


def metrics_of(ranked: Proposal, seed: int) -> tuple[MetricRecord, ...]:
    """The mean over targets of the smallest error, if the simulator was asked."""
    if ranked.error is None:
        return ()
    errors = ranked.tensors()["errors"]
    best = torch.where(errors.isnan(), torch.inf, errors).amin(dim=1)
    best = torch.where(best.isfinite(), best, torch.nan)
    value = bootstrap(best, generator(seed, "own", "best"))
    mean, low, high = (end if math.isfinite(end) else None for end in value)
    name = "best-error" if ranked.wanted is None else "best-violation"
    found = [MetricRecord(name=name, value=mean, ci_low=low, ci_high=high)]
    if ranked.met is not None:
        whole = ranked.met.all(dim=1).double()
        met = torch.stack([whole[rows].amax() for rows in ranked.groups()])
        share = bootstrap(met, generator(seed, "own", "met"))
        found.append(MetricRecord(
            name="targets-met", value=share[0], ci_low=share[1], ci_high=share[2]
        ))  # fmt: skip
    return tuple(found)
