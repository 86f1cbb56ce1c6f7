"""How evenly designs cover the ranges of their variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from invcore.spaces.space import Space

_SHOWN = 6  # variables that are named


def stratification(values: Tensor, shares: Tensor, sample: Tensor) -> Tensor:
    """How many of the strata of each variable have a design in them.

    A variable's range is cut into N strata that are equally likely. All of them are filled by a
    Latin hypercube, 0.63 of them by random designs. Of a variable with fewer than N values, it is
    the share of its values that designs have.

    Args:
        values: (N, Dx), designs.
        shares: (N, Dx), what share of all designs is below each value.
        sample: (S, Dx), designs that show how many values a variable has.

    Returns:
        (Dx,), from 1/N to 1, float64.

    Example:
        >>> x = torch.tensor([[0.1], [0.4], [0.45], [0.9]]).double()
        >>> stratification(x, x, torch.rand(100, 1))
        tensor([0.7500], dtype=torch.float64)
    """
    count = len(values)
    parts = (shares * count).long().clamp(0, count - 1)
    filled, own, choices = (
        torch.tensor([len(column.unique()) for column in rows.unbind(1)], dtype=torch.float64)
        for rows in (parts, values, sample)
    )
    few = choices < min(count, len(sample))
    return torch.where(few, (own / choices).clamp(max=1.0), filled / count)


def strata_kept(space: Space, designs: Tensor) -> str:
    """What constraints leave of the strata of a Latin hypercube; empty where they tie nothing.

    Args:
        space: of the designs.
        designs: (N, Dx), to which the hypercube's points were mapped.

    Example:
        >>> from invcore.spaces.priors import Uniform
        >>> from invcore.spaces.space import Space, Variable
        >>> a, b = (Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "ab")
        >>> points = (torch.arange(100)[:, None].double() + 0.5) / 100
        >>> cross = Space.of(a, b, constraints=["a + b <= 1"])
        >>> strata_kept(cross, cross.from_unit(torch.cat([points, points.flip(0)], dim=1)))
        'of its strata the constraints leave a 100%, b 78%; random designs fill 63%'
    """
    tied = space.tied.nonzero()[:, 0].tolist()
    if not tied:
        return ""
    shares = space.stratification(designs)
    kept = [f"{space.names[i]} {float(shares[i]):.0%}" for i in tied[:_SHOWN]]
    if len(tied) > _SHOWN:
        rest = shares[tied[_SHOWN:]]
        kept.append(f"others {float(rest.min()):.0%} to {float(rest.max()):.0%}")
    return f"of its strata the constraints leave {', '.join(kept)}; random designs fill 63%"
