"""Draws of a group that need few rejections: uniform where sums are, from the prior elsewhere."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from invcore.spaces.constraints.encoding import Encoding
from invcore.spaces.constraints.groups import Group
from invcore.spaces.constraints.kinds import LinearEquality, LinearInequality
from invcore.spaces.constraints.linear_sets.polytope import Polytope
from invcore.spaces.constraints.nearest.blocks import units_of
from invcore.spaces.constraints.sampling.density import flat, log_density, most_likely, prior_of

_PILOT = 4096
_LEAST = 0.01  # of proposals must be kept, so that draws are not dear
_ROWS = 65536


class Proposals:
    """Draws that are kept as often as the prior is likely and the constraints hold.

    Continuous variables of sums are drawn uniformly from the polytope of these sums; what comes in
    steps, and other continuous variables, from the prior. What is kept is the prior, given that the
    constraints hold: no approximation is made.

    Args:
        group: whose.
    """

    def __init__(self, group: Group) -> None:
        self.group = group
        stepped = {group.variables[i].name for i in group.stepped.nonzero()[:, 0].tolist()}
        sums = [c for c in group.constraints if isinstance(c, LinearEquality | LinearInequality)]
        own = [len(c.names) > 1 and not stepped & set(c.names) for c in sums]
        self._open = any(
            isinstance(c, LinearEquality) and not alone for c, alone in zip(sums, own, strict=True)
        )
        kept = [c for c, alone in zip(sums, own, strict=True) if alone]
        self._kept = [group.owners[group.constraints.index(c)] for c in kept]
        names = {name for c in kept for name in c.names}
        layout = group.layout
        self._linear = torch.tensor([v.name in names for v in group.variables])
        if not bool((layout.high - layout.low)[self._linear].isfinite().all()):
            self._open |= any(isinstance(c, LinearEquality) for c in kept)
            self._linear &= False  # a polytope without bounds has no uniform density

    @cached_property
    def works(self) -> bool:
        """Whether enough proposals are kept."""
        if self._open:
            return False
        _, good = self._proposed(_PILOT, np.random.default_rng(0))
        return float(good.double().mean()) >= _LEAST

    def draw(self, count: int, random: np.random.Generator) -> Tensor:
        """(count, g), independent."""
        parts, missing, size = [], count, max(256, 2 * count)
        while missing > 0:
            rows, good = self._proposed(min(size, _ROWS), random)
            parts.append(rows[good][:missing])
            missing -= len(parts[-1])
            share = max(float(good.double().mean()), 1e-3)
            size = int(1.2 * missing / share) + 64
        return torch.cat(parts)

    def _proposed(self, count: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        group, layout = self.group, self.group.layout
        rows = torch.zeros(count, len(group.variables), dtype=torch.float64)
        keep = torch.zeros(count, dtype=torch.float64)  # logarithms of how often
        stepped = group.stepped
        for unit in units_of(layout, stepped.nonzero()[:, 0].tolist()):
            variables = [group.variables[i] for i in unit.columns.tolist()]
            if unit.rows is None:  # too many whole numbers to list
                (i,) = unit.columns.tolist()
                unit_draws = torch.from_numpy(random.random(count))
                drawn = prior_of(variables[0]).quantile(unit_draws)
                rows[:, i] = drawn
                continue
            weights = log_density(variables, unit.rows).softmax(0).numpy()
            chosen = random.choice(len(weights), size=count, p=weights / weights.sum())
            rows[:, unit.columns] = unit.rows[torch.from_numpy(chosen)]
        for i in (~stepped & ~self._linear).nonzero()[:, 0].tolist():
            prior = prior_of(group.variables[i])
            ends = prior.cdf(torch.stack([layout.low[i], layout.high[i]]))
            share = torch.from_numpy(random.random(count))
            drawn = prior.quantile(ends[0] + share * (ends[1] - ends[0]))
            rows[:, i] = drawn.clamp(layout.low[i], layout.high[i])
        if bool(self._linear.any()):
            own = self._linear.nonzero()[:, 0].tolist()
            rows[:, own] = self._uniform(count, random)[:, own]
            for i in own:
                variable = group.variables[i]
                if not flat(variable):
                    most = most_likely(variable, float(layout.low[i]), float(layout.high[i]))
                    keep += log_density([variable], rows[:, [i]]) - most
        good = torch.from_numpy(random.random(count)).log() <= keep
        return rows, good & layout.contains(rows)

    def _uniform(self, count: int, random: np.random.Generator) -> Tensor:
        encoding, polytope = self._polytope
        return encoding.values(polytope.sample(count, random))

    @cached_property
    def _polytope(self) -> tuple[Encoding, Polytope]:
        encoding = Encoding(self.group, self._kept)
        return encoding, Polytope(encoding.system)
