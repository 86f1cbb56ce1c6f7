"""From the unit cube to a space with constraints, draws of it, and how evenly designs cover it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from invcore.spaces.constraints.groups import groups_of
from invcore.spaces.constraints.kinds import Constraint, LinearInequality
from invcore.spaces.constraints.layout import Layout
from invcore.spaces.constraints.sampling.density import prior_of
from invcore.spaces.constraints.sampling.draws import Draws
from invcore.spaces.variable import Variable

_HALVINGS = 54


class UnitCube:
    """Maps and draws of a space with constraints.

    Variables that constraints tie together are drawn, and mapped, group by group (``Draws``,
    ``Transport``); others by their priors, within the limits that inequalities give them.

    Args:
        variables: of the space.
        constraints: of the space.
        layout: of both.
    """

    def __init__(
        self, variables: Sequence[Variable], constraints: Sequence[Constraint], layout: Layout
    ) -> None:
        self._variables, self._layout = variables, layout
        self._groups = [(group, Draws(group)) for group in groups_of(variables, constraints)]
        self.tied = torch.zeros(len(variables), dtype=torch.bool)
        """Which variables constraints tie together (Dx,), bool."""
        for group, _ in self._groups:
            self.tied[group.columns] = True
        limited = {c.names[0] for c in constraints if isinstance(c, LinearInequality)}
        self._shares = {
            i: self._ends(i)
            for i, v in enumerate(variables)
            if v.name in limited and not self.tied[i]
        }

    def _ends(self, i: int) -> tuple[float, float]:
        """Between which shares the prior's quantiles are within the limits."""
        prior, ends = prior_of(self._variables[i]), torch.tensor([0.0, 1.0]).double()
        found = []
        for bound, above in ((self._layout.low[i], True), (self._layout.high[i], False)):
            low, high = ends.unbind()
            for _ in range(_HALVINGS):
                middle = 0.5 * (low + high)
                value = prior.quantile(middle)
                beyond = bool(value >= bound) if above else bool(value > bound)
                low, high = (low, middle) if beyond else (middle, high)
            found.append(float(high if above else low))
        return (found[0], found[1]) if found[0] < found[1] else (0.0, 1.0)

    def single(self, unit: Tensor) -> Tensor:
        """Quantiles of priors, each variable by itself (…, Dx)."""
        columns = []
        for i, variable in enumerate(self._variables):
            first, last = self._shares.get(i, (0.0, 1.0))
            share = unit[..., i] if i not in self._shares else first + (last - first) * unit[..., i]
            columns.append(prior_of(variable).quantile(share))
        return torch.stack(columns, dim=-1)

    def values(self, unit: Tensor) -> Tensor:
        """Unit points (…, Dx) to values near what is allowed."""
        values = self.single(unit)
        if not self._groups:
            return values
        flat, points = values.reshape(-1, values.shape[-1]), unit.reshape(-1, unit.shape[-1])
        for group, draws in self._groups:
            own = draws.transport(points[:, group.columns].double().cpu())
            flat = flat.index_copy(1, group.columns.to(flat.device), own.to(flat))
        return flat.view(values.shape)

    def drawn(self, count: int, generator: torch.Generator) -> Tensor:
        """Designs (count, Dx) of the prior, given the constraints of groups; others still to be
        projected.
        """
        unit = torch.rand(count, len(self._variables), generator=generator, dtype=torch.float64)
        values = self.single(unit)
        for group, draws in self._groups:
            seed = int(torch.randint(2**62, (), generator=generator))
            own = draws.draw(count, np.random.default_rng(seed))
            values = values.index_copy(1, group.columns, own)
        return values

    def strata(self, values: Tensor) -> Tensor:
        """Which share of the prior, given the constraints, is below designs (N, Dx): (N, Dx)."""
        columns = []
        for i, variable in enumerate(self._variables):
            share = prior_of(variable).cdf(values[:, i].double())
            first, last = self._shares.get(i, (0.0, 1.0))
            columns.append(((share - first) / (last - first)).clamp(0.0, 1.0))
        result = torch.stack(columns, 1)
        for group, draws in self._groups:
            for k, i in enumerate(group.columns.tolist()):
                result[:, i] = _share_below(draws.stored[:, k], values[:, i].double())
        return result


def _share_below(sample: Tensor, values: Tensor) -> Tensor:
    """The share of a sample (S,) below values (N,), in between straight."""
    ordered = sample.sort().values
    above = torch.searchsorted(ordered, values.contiguous()).clamp(1, len(ordered) - 1)
    low, high = ordered[above - 1], ordered[above]
    part = ((values - low) / (high - low).clamp(min=1e-300)).clamp(0.0, 1.0)
    return ((above - 0.5 + part) / len(ordered)).clamp(0.0, 1.0)
