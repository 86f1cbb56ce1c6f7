"""Designs found with a simulator, and what it was asked for."""

import math
from dataclasses import dataclass
from typing import Any

import torch

from invcore.plugin import generator
from invcore.results import MetricRecord, RunRecord, bootstrap
from invcore_solve.answers.proposal import Proposal
from invcore_solve.designer import Designer
from invcore_solve.measured.simulated_rows import SimulatedRows
from invcore_solve.simulators.outcomes import Counts


@dataclass(frozen=True)
class Solution:
    """What ``solve_with`` gives.

    Args:
        ranked: the designs of each target, best first by the simulator's responses, or by the
            judge's opinion where the simulator was not asked.
        notes: what one should know: which targets the pairs that were learnt from do not reach,
            and why; that the budget was used up.
        record: of the work, as it stands in the store if there is one.
        simulator: what it was asked for, and what failed: plain data.
        designer: of a method that learns from pairs, the fitted model; for more targets.
        rows: of a loop that was given a budget, all rows: those that failed and those that were
            known too; ``rows.frame()`` is a data frame of them.
    """

    ranked: Proposal
    notes: tuple[str, ...]
    record: RunRecord
    simulator: dict[str, Any]
    designer: Designer | None = None
    rows: SimulatedRows | None = None

    @property
    def summary(self) -> str:
        """What the simulator was asked for, and what failed: one line."""
        return Counts.of(self.simulator).summary()


def metrics_of(ranked: Proposal, seed: int) -> tuple[MetricRecord, ...]:
    """The mean over targets of the smallest error, and the share of targets that are met, if the
    simulator was asked.

    Args:
        ranked: the designs.
        seed: of the intervals.
    """
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
            name="targets-met", value=share[0], ci_low=share[1], ci_high=share[2], better="higher",
        ))  # fmt: skip
    return tuple(found)
