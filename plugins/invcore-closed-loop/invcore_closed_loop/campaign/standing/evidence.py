"""From a campaign's rows to what they let one expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from invcore.plugin import with_derived
from invcore_closed_loop.campaign.standing.expectation import Expectation
from invcore_closed_loop.campaign.tables.row_frames import scaled_targets

if TYPE_CHECKING:
    from invcore_closed_loop.campaign.campaign import Campaign

_MOST = 600  # rows from which something is expected: as many as take some seconds
_PROBES = 0.3819660112501051, 0.7236067977499789


def expectation_of(campaign: Campaign) -> Expectation:
    """What is to be expected of designs: by all rows, of very many by the best and the latest."""
    x, y = campaign.data()
    if len(x) > _MOST:
        value = scaled_targets(campaign, y).objective(y[None])[0].nan_to_num(nan=torch.inf)
        best = value.argsort(stable=True)[: _MOST // 3]
        latest = torch.arange(len(x) - _MOST + _MOST // 3, len(x))
        kept = torch.cat([best, latest]).unique()
        x, y = x[kept], y[kept]
    return Expectation.of(
        campaign.problem, x, y, campaign.facts.noise, lambda designs: computed(campaign, designs)
    )


def computed(campaign: Campaign, x: Tensor) -> Tensor:
    """Responses (N, Dy) that follow from designs (N, Dx) alone; NaN for others.

    A formula that needs what is measured gives another number where that is another.
    """
    problem, facts = campaign.problem, campaign.facts
    count = len(facts.measured(problem.responses.names))
    names = problem.responses.names[:count]
    one, other = (
        with_derived(
            facts.formulas, problem.designs, x, names,
            torch.full((len(x), count), value, dtype=torch.float64),
        )
        for value in _PROBES
    )  # fmt: skip
    same = torch.where(one == other, one, torch.nan)
    same[:, :count] = torch.nan
    return same
