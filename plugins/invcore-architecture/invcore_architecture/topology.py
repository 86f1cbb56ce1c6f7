"""Topology-optimised cells: inverse homogenisation by gradients, many cells at a time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from invcore.plugin import Progress
from invcore_architecture.element import pixel_moduli
from invcore_architecture.families import POROSITY, random_fields
from invcore_architecture.homogenise import effective_stiffness, youngs_modulus

_COARSE, _FINE, _RATE = 14, 8, 0.2  # steps on half the pixels a side, and on all of them
_SHARPNESS = (2.0, 24.0)  # of the projection, from the first step to the last
_RADIUS = (1.4, 3.0)  # of the filter, pixels of 32
_TOLERANCE = 0.02  # an error of this size costs as much in modulus as in solid fraction


@dataclass(frozen=True)
class Wanted:
    """What cells are optimised for.

    Args:
        modulus: (N, 2), Young's modulus along x and y, as fractions of the solid's.
        weight: (N, 2), 0 where a modulus does not matter.
        solid: (N,), solid fraction.
    """

    modulus: Tensor
    weight: Tensor
    solid: Tensor

    @classmethod
    def draw(cls, count: int, generator: Generator) -> Wanted:
        """Random wishes: moduli from 2% to 95% of the mixing rule's, half of them along x alone."""
        draws = torch.rand(count, 4, generator=generator, dtype=torch.float64)
        low, high = POROSITY
        solid = 1 - low - 0.02 - (high - low - 0.04) * draws[:, 0]
        modulus = solid[:, None] * (0.02 + 0.93 * draws[:, 1:3])
        weight = torch.stack([torch.ones(count), (draws[:, 3] < 0.5).double()], dim=1).double()
        return cls(modulus, weight, solid)


def optimised_cells(
    count: int,
    side: int,
    generator: Generator,
    *,
    soft: float = 1e-3,
    poisson: float = 0.3,
    progress: Progress | None = None,
) -> Tensor:
    """Optimise cells towards random wanted moduli and solid fractions, each from its own start.

    A start is a Gaussian random field on half the pixels a side, where the first two thirds of the
    steps go, each at a quarter of the cost. Its filtered and projected densities, with SIMP moduli
    (exponent 3), are moved by Adam along the exact gradient of the errors in modulus and in solid
    fraction, while the projection sharpens. The cell is solid where the density is above a half;
    what it then has for a modulus is for its own simulation to say.

    References:
        Sigmund, International Journal of Solids and Structures 31, 1994,
        https://doi.org/10.1016/0020-7683(94)90154-6 (inverse homogenisation);
        Wang, Lazarov, Sigmund, Structural and Multidisciplinary Optimization 43, 2011,
        https://doi.org/10.1007/s00158-010-0602-y (filter and projection)

    Args:
        count: how many; all are worked on at the same time.
        side: pixels on a side: 8, 16, 32, ….
        generator: decides starts and wishes.
        soft: modulus of the soft phase.
        poisson: Poisson's ratio.
        progress: shows the steps; silent.

    Returns:
        (count, side, side), bool, True where solid; porosities can lie outside 0.25 to 0.75.
    """
    target = Wanted.draw(count, generator)
    side_first = side // 2 if side > 8 else side
    start = random_fields(count, side_first, generator)
    variable = (0.5 + 0.15 * start / start.std(dim=(1, 2), keepdim=True)).clamp(0.0, 1.0)
    radius = torch.rand(count, generator=generator, dtype=torch.float64)
    radius = (_RADIUS[0] + (_RADIUS[1] - _RADIUS[0]) * radius) / 32
    with (progress or Progress()).stage("optimise", total=_COARSE + _FINE) as stage:
        for steps in (range(_COARSE), range(_COARSE, _COARSE + _FINE)):
            if steps.start and side > side_first:
                variable = variable.repeat_interleave(2, 1).repeat_interleave(2, 2)
            filters = _filters(radius * variable.shape[1], variable.shape[1])
            variable = variable.detach().requires_grad_()
            optimiser = torch.optim.Adam([variable], lr=_RATE)
            for step in steps:
                density = _projected(variable, filters, _sharpness(step))
                loss = _loss(density, target, soft, poisson)
                optimiser.zero_grad()
                loss.sum().backward()
                optimiser.step()
                with torch.no_grad():
                    variable.clamp_(0.0, 1.0)
                stage.advance(loss=float(loss.detach().mean()))
    filters = _filters(radius * side, side)
    return _projected(variable.detach(), filters, _SHARPNESS[1]) > 0.5


def _sharpness(step: int) -> float:
    low, high = _SHARPNESS
    return low * (high / low) ** (step / (_COARSE + _FINE - 1))


def _loss(density: Tensor, target: Wanted, soft: float, poisson: float) -> Tensor:
    stiffness = effective_stiffness(pixel_moduli(density, soft, 3.0), poisson)
    modulus = torch.stack([youngs_modulus(stiffness, way) for way in ("x", "y")], dim=1)
    missed = ((modulus - target.modulus) / _TOLERANCE).square() * target.weight
    solid = (density.mean(dim=(1, 2)) - target.solid) / _TOLERANCE
    return torch.log1p(missed.sum(dim=1) + solid.square())  # far cells do not drown near ones


def _projected(variable: Tensor, filters: Tensor, sharpness: float) -> Tensor:
    """Smooth, then push towards 0 and 1."""
    smooth = torch.fft.irfft2(torch.fft.rfft2(variable) * filters, s=variable.shape[1:])
    edge = torch.tanh(torch.tensor(0.5 * sharpness, dtype=torch.float64))
    return (edge + torch.tanh(sharpness * (smooth - 0.5))) / (2 * edge)


def _filters(radius: Tensor, side: int) -> Tensor:
    """Transforms of cones of some radii (N,), pixels, of sum 1."""
    steps = torch.fft.fftfreq(side, 1 / side, dtype=torch.float64)
    distance = torch.hypot(*torch.meshgrid(steps, steps, indexing="ij"))
    cones = (radius.clamp(min=1.0)[:, None, None] - distance).clamp(min=0.0)
    return torch.fft.rfft2(cones / cones.sum(dim=(1, 2), keepdim=True))
