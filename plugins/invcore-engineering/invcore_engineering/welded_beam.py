"""The welded-beam task: a cantilever welded to a wall, its cost and what it bears."""

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from invcore.plugin import (
    Config,
    Field,
    LinearInequality,
    Requirement,
    Space,
    Specification,
    Task,
    Uniform,
    Variable,
)

Formulation = Literal["ragsdell-phillips", "coello"]

LOAD, OVERHANG = 6000.0, 14.0  # lbf, in
YOUNG, RIGIDITY = 30e6, 12e6  # psi

SPECIFICATION = Specification.of(
    cost=Requirement(goal="minimise"),
    shear=Requirement(high=13600.0),
    bending=Requirement(high=30000.0),
    buckling=Requirement(low=LOAD),
    deflection=Requirement(high=0.25),
)
"""The classical problem."""


def welded_beam(x: Tensor, formulation: Formulation = "ragsdell-phillips") -> Tensor:
    """Compute what a welded cantilever costs and bears under a load at its end.

    With the load P at the distance L from the wall, the moment M = P (L + l/2) that the weld bears
    and R² = l²/4 + ((h + t)/2)²:

    * cost: 1.10471 h² l + 0.04811 t b (L + l);
    * shear in the weld: √(τ₁² + τ₁ τ₂ l/R + τ₂²), τ₁ = P / (√2 h l), τ₂ = M R / J, where the weld's
      polar moment J is √2 h l [l²/12 + ((h + t)/2)²];
    * bending: 6 P L / (b t²);  deflection of the end: 4 P L³ / (E t³ b);
    * buckling load: 4.013 √(E G) t b³ / (6 L²) [1 - t/(2 L) √(E / (4 G))].

    ``coello`` has 2 √2 instead of √2 in J, and E instead of √(E G) in the buckling load, as many
    papers have after Coello (2000): a weld and a bar that bear more.

    References:
        Ragsdell, Phillips, *Optimal design of a class of welded structures using geometric
        programming*, Journal of Engineering for Industry 98, 1021 (1976),
        https://doi.org/10.1115/1.3438995;
        Coello Coello, Computers in Industry 41, 113 (2000),
        https://doi.org/10.1016/S0166-3615(99)00046-9

    Args:
        x: designs (..., 4): h, l, t, b, in.
        formulation: which of the two.

    Returns:
        Responses (..., 5): cost ($), shear (psi), bending (psi), buckling load (lbf), deflection
        (in), in x's dtype, from float64.

    Example:
        >>> x = torch.tensor([0.25, 6.0, 8.0, 0.25], dtype=torch.float64)
        >>> [round(value, 3) for value in welded_beam(x).tolist()]
        [2.339, 14103.325, 31500.0, 6265.173, 0.017]
    """
    h, length, t, b = x.to(torch.float64).unbind(-1)
    coello = formulation == "coello"
    cost = 1.10471 * h.square() * length + 0.04811 * t * b * (OVERHANG + length)
    throat = math.sqrt(2) * h * length
    radius = (length.square() / 4 + ((h + t) / 2).square()).sqrt()
    polar = (2 if coello else 1) * throat * (length.square() / 12 + ((h + t) / 2).square())
    direct = LOAD / throat
    twist = LOAD * (OVERHANG + length / 2) * radius / polar
    shear = (direct.square() + direct * twist * length / radius + twist.square()).sqrt()
    bending = 6 * LOAD * OVERHANG / (b * t.square())
    modulus = YOUNG if coello else math.sqrt(YOUNG * RIGIDITY)
    slender = 1 - t / (2 * OVERHANG) * math.sqrt(YOUNG / (4 * RIGIDITY))
    buckling = 4.013 * modulus * t * b**3 / (6 * OVERHANG**2) * slender
    deflection = 4 * LOAD * OVERHANG**3 / (YOUNG * t**3 * b)
    return torch.stack((cost, shear, bending, buckling, deflection), dim=-1).to(x.dtype)


class WeldedBeamConfig(Config):
    """Whose formulas."""

    formulation: Formulation = Field(
        "ragsdell-phillips",
        description="Whose formulas: 'coello' has a polar moment of the weld twice as large and "
        "a higher buckling load, as many papers have; the best cost differs.",
    )


class WeldedBeam(Task[WeldedBeamConfig]):
    """Welded beam: four lengths to cost, stresses, buckling load and deflection.

    A bar of height t and width b is welded to a wall over the length l, with welds of the size h,
    and carries 6000 lbf at 14 in from the wall. The weld is no thicker than the bar: h ≤ b.

    The classical problem: cost at its least, shear at most 13600 psi, bending at most 30000 psi,
    buckling load at least 6000 lbf, deflection at most 0.25 in (``SPECIFICATION``). Best designs:

    * ``ragsdell-phillips``: $2.380957 at h = b = 0.2443690, l = 6.2175197, t = 8.2914714; papers
      that take 0.707 for 1/√2 in the weld's throat have 2.381134;
    * ``coello``: $1.724852 at h = b = 0.2057296, l = 3.4704887, t = 9.0366239.

    The bounds are those of the literature, without what no design of the problem has: t ≥ 2 and
    b ≥ 0.125 (bending alone asks for t ≥ 2.9 and b ≥ 0.168).

    References:
        Ragsdell, Phillips, 1976, https://doi.org/10.1115/1.3438995;
        Coello Coello, 2000, https://doi.org/10.1016/S0166-3615(99)00046-9;
        Deb, *An efficient constraint handling method for genetic algorithms*, Computer Methods in
        Applied Mechanics and Engineering 186, 311 (2000),
        https://doi.org/10.1016/S0045-7825(99)00389-8

    Example:
        >>> best = torch.tensor([[0.2443690, 6.2175197, 8.2914714, 0.2443690]]).double()
        >>> WeldedBeam().simulate(best)[0, 0].item()  # doctest: +ELLIPSIS
        2.38095...
    """

    Config = WeldedBeamConfig
    free_calls = True
    designs = Space.of(
        Variable(
            name="h", prior=Uniform(low=0.125, high=2.0), unit="in", description="size of the weld"
        ),
        Variable(name="l", prior=Uniform(low=0.1, high=10.0), unit="in", description="its length"),
        Variable(
            name="t", prior=Uniform(low=2.0, high=10.0), unit="in", description="bar's height"
        ),
        Variable(
            name="b", prior=Uniform(low=0.125, high=2.0), unit="in", description="bar's width"
        ),
        constraints=[LinearInequality(coefficients={"h": 1.0, "b": -1.0}, high=0.0)],
    )
    responses = Space.of(
        Variable(name="cost", unit="$", description="of material and welding"),
        Variable(name="shear", unit="psi", description="largest shear stress in the weld"),
        Variable(name="bending", unit="psi", description="largest normal stress in the bar"),
        Variable(name="buckling", unit="lbf", description="load at which the bar buckles"),
        Variable(name="deflection", unit="in", description="of the bar's end"),
    )
    differentiable = True

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute responses (N, 5) of designs (N, 4).

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        return welded_beam(x, self.config.formulation)
