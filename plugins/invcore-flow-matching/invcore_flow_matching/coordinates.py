"""The coordinates in which designs flow: normal ones, where a prior is uniform."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from invcore.learning import Scaling
from invcore.plugin import Integers, LogUniform, Space, Uniform

_MARGIN = 1e-3  # of the range, beyond each end: no design is infinitely far away
_FILLED = 0.8  # of its range, from which on training designs count as filling it
_LEAST = 1e-6  # of the wider range, inside each end: what lies outside counts as lying there


@dataclass(frozen=True)
class Coordinates:
    """Between normalised features (N, F) and coordinates (N, F) in which flows are smooth.

    A uniform variable has two edges, which a flow from normal noise would have to make. Its
    distribution function, and then the normal's inverse, make a normal variable of it, and on the
    way back no design leaves the range. Other features stay as they are.

    Args:
        low: (F,), float64, lower ends of the ranges, in normalised features, a little wider.
        high: (F,), upper ends.
        normal: (F,), bool, which features are made normal.

    Example:
        >>> ends = torch.tensor([-1.0]).double(), torch.tensor([1.0]).double()
        >>> coordinates = Coordinates(*ends, torch.tensor([True]))
        >>> x = torch.tensor([[0.0], [0.6827]])
        >>> coordinates.forward(x).round(decimals=2).tolist()
        [[0.0], [1.0]]
        >>> coordinates.inverse(coordinates.forward(x)).round(decimals=4).tolist()
        [[0.0], [0.6827]]
    """

    low: Tensor
    high: Tensor
    normal: Tensor

    @classmethod
    def of(
        cls, kind: Literal["auto", "normal", "linear"], designs: Space, scaling: Scaling
    ) -> Coordinates:
        """Those of a space's designs, as a setting says.

        Spaces with constraints and images stay as they are: there the noise that makes a density
        finite leads out of the ranges.

        Args:
            kind: the setting ``coordinates``.
            designs: with the priors.
            scaling: of the training pairs, whose box is the part that they fill.
        """
        centre, scale = scaling.x.centre.double().cpu(), scaling.x.scale.double().cpu()
        columns = list(scaling.designs.feature_columns)
        low, high = torch.zeros(len(columns)).double(), torch.ones(len(columns)).double()
        normal = torch.zeros(len(columns), dtype=torch.bool)
        plain = not designs.constraints and designs.grid is None
        for place, column in enumerate(columns if plain and kind != "linear" else ()):
            variable = designs.variables[column]
            if not isinstance(variable.prior, Uniform | LogUniform | Integers):
                continue
            first, last = designs.variable_features[column].ends
            least, most = scaling.designs.variable_features[column].ends
            step = 0.5 if variable.whole else 0.0
            filled = (most - least + 2 * step) / (last - first + 2 * step)
            normal[place] = kind == "normal" or filled >= _FILLED
            apart = step + _MARGIN * (last - first + 2 * step)
            low[place] = (first - apart - centre[place]) / scale[place]
            high[place] = (last + apart - centre[place]) / scale[place]
        if scaling.x.varies is not None:
            normal &= scaling.x.varies.cpu()
        return cls(low, high, normal)

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, F) to coordinates (N, F)."""
        if not bool(self.normal.any()):
            return features
        return torch.where(
            self.normal.to(features.device), torch.special.ndtri(self._share(features)), features
        )

    def inverse(self, coordinates: Tensor) -> Tensor:
        """Coordinates (N, F) to features (N, F), float64."""
        wide = coordinates.double()
        low, high, normal = (part.to(wide.device) for part in (self.low, self.high, self.normal))
        return torch.where(normal, low + torch.special.ndtr(wide) * (high - low), wide)

    def log_slopes(self, features: Tensor) -> Tensor:
        """Log of the volume of coordinates for one of features (N,), float64; minus infinity of
        features outside a range, where there is no design.
        """
        wide = features.double()
        low, high, normal = (part.to(wide.device) for part in (self.low, self.high, self.normal))
        z = torch.special.ndtri(self._share(wide))
        slopes = 0.5 * (z.square() + math.log(2 * math.pi)) - (high - low).log()
        outside = normal & ((wide <= low) | (wide >= high))
        slopes = torch.where(normal, slopes, 0.0).masked_fill(outside, -torch.inf)
        return slopes.sum(dim=1)

    def _share(self, features: Tensor) -> Tensor:
        """Of the ranges, inside (0, 1)."""
        low, high = self.low.to(features), self.high.to(features)
        return ((features - low) / (high - low)).clamp(_LEAST, 1 - _LEAST)
