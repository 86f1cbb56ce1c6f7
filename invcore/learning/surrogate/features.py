"""What a surrogate sees beside scaled designs: depths of layers, and waves."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from invcore.data.scaling import Scaling

MOST_WITH_WAVES = 64
"""Columns: an image or a spectrum is a function already."""


class InputFeatures(nn.Module):
    """Scaled inputs (N, F + C) with further columns: (N, ``width``).

    Nothing in it is learnt: sums are known from the scaling.

    Args:
        scaling: of the designs; its space says which variables are layers of one pile.
        sums: with the depth at which each layer ends, the first one's apart, which is its
            thickness. Where no variables are such, there are none.
        waves: octaves of sines and cosines of the designs' features and of depths.

    References:
        Tancik et al., Fourier features let networks learn high frequency functions in low
        dimensional domains, NeurIPS 2020, https://arxiv.org/abs/2006.10739.

    Example:
        >>> from invcore.plugin import Pairs, Space, Uniform, Variable
        >>> prior = Uniform(low=1.0, high=3.0)
        >>> films = (Variable(name=name, prior=prior, layer_of="stack") for name in "abc")
        >>> space, x = Space.of(*films), 1 + 2 * torch.rand(64, 3)
        >>> InputFeatures(Scaling.fit(space, Pairs(x, x)), sums=True, waves=1).width
        15
    """

    depths: Tensor

    def __init__(self, scaling: Scaling, *, sums: bool = False, waves: int = 0) -> None:
        super().__init__()
        self._features = scaling.designs.features
        rows = _depths(scaling) if sums else torch.zeros(0, self._features)
        self.register_buffer("depths", rows, persistent=False)
        seen = self._features + len(rows)
        self._waves = waves if seen <= MOST_WITH_WAVES else 0
        self.width = scaling.inputs + len(rows) + 2 * self._waves * seen
        """Columns of what it gives."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Add the columns: what is known of problems stays at the end."""
        if not len(self.depths) and not self._waves:
            return inputs
        features, context = inputs[..., : self._features], inputs[..., self._features :]
        features = torch.cat([features, features @ self.depths.T], dim=-1)
        return torch.cat([waves_of(features, self._waves), context], dim=-1)


def _depths(scaling: Scaling) -> Tensor:
    """How depths, of variance one, follow from the features: (J, F), float32."""
    designs, scale = scaling.designs, scaling.x.scale.double().cpu()
    forms = [own.form for own in designs.variable_features]
    piles: dict[str, list[int]] = {}
    for column, i in enumerate(designs.feature_columns):
        pile = designs.variables[i].layer_of
        if pile and forms[i] == "number":
            piles.setdefault(pile, []).append(column)
    rows = []
    for columns in piles.values():
        for last in range(2, len(columns) + 1):
            row = torch.zeros(designs.features, dtype=torch.float64)
            row[columns[:last]] = scale[columns[:last]]
            rows.append(row / row.norm())
    return torch.stack(rows).float() if rows else torch.zeros(0, designs.features)


def waves_of(values: Tensor, count: int) -> Tensor:
    """Values (..., D), and beside them sines and cosines of them times pi/4, pi/2, pi, …:
    (..., D (1 + 2 count)).

    Example:
        >>> waves_of(torch.tensor([[2.0]]), 1).round(decimals=4).abs().tolist()
        [[2.0, 1.0, 0.0]]
    """
    if not count:
        return values
    angles = [values * (0.25 * math.pi * 2**k) for k in range(count)]
    return torch.cat([values, *(a.sin() for a in angles), *(a.cos() for a in angles)], dim=-1)
