"""The pressure-vessel task: a cylinder with two hemispherical heads, rolled from stock plates."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from invcore.plugin import (
    Config,
    Levels,
    Requirement,
    Space,
    Specification,
    Task,
    Uniform,
    Variable,
)

PLATE = 0.0625  # in: plates come in multiples of it
THICKEST = 99  # of them
_PLATES = tuple(PLATE * count for count in range(1, THICKEST + 1))

SPECIFICATION = Specification.of(
    cost=Requirement(goal="minimise"),
    volume=Requirement(low=1_296_000.0),
    shell_margin=Requirement(low=0.0),
    head_margin=Requirement(low=0.0),
)
"""The classical problem."""


def pressure_vessel(x: Tensor) -> Tensor:
    """Compute what a vessel costs and holds, and how much thicker it is than the code requires.

    With the shell's thickness s, the heads' h, the inner radius R and the shell's length L:

    * cost of material, forming and welding:
      0.6224 s R L + 1.7781 h R² + 3.1661 s² L + 19.84 s² R;
    * volume: π R² L + 4/3 π R³;
    * margins over the ASME code's thicknesses: s - 0.0193 R and h - 0.00954 R.

    References:
        Sandgren, *Nonlinear integer and discrete programming in mechanical design optimization*,
        Journal of Mechanical Design 112, 223 (1990), https://doi.org/10.1115/1.2912596;
        Kannan, Kramer, Journal of Mechanical Design 116, 405 (1994),
        https://doi.org/10.1115/1.2919393

    Args:
        x: designs (..., 4): s, h, R, L, in.

    Returns:
        Responses (..., 4): cost ($), volume (in³), margins of shell and heads (in), in x's dtype,
        from float64.

    Example:
        >>> pressure_vessel(torch.tensor([1.0, 0.5, 50.0, 100.0])).round(decimals=3)
        tensor([6.6432e+03, 1.3090e+06, 3.5000e-02, 2.3000e-02])
    """
    shell, head, radius, length = x.to(torch.float64).unbind(-1)
    cost = (
        0.6224 * shell * radius * length
        + 1.7781 * head * radius.square()
        + 3.1661 * shell.square() * length
        + 19.84 * shell.square() * radius
    )
    volume = math.pi * radius.square() * (length + 4 / 3 * radius)
    margins = shell - 0.0193 * radius, head - 0.00954 * radius
    return torch.stack((cost, volume, *margins), dim=-1).to(x.dtype)


class PressureVesselConfig(Config):
    """Nothing to choose: the classical problem fixes everything."""


class PressureVessel(Task[PressureVesselConfig]):
    """Pressure vessel: two plates' thicknesses, radius and length to cost, volume and margins.

    Thicknesses are multiples of 1/16 in, from one to 99 of them, as ``Levels``.

    The classical problem: cost at its least, a volume of at least 1,296,000 in³ (750 ft³), and no
    margin below zero (``SPECIFICATION``). Its fourth constraint, a length of at most 240 in, holds
    for every design, whose lengths end at 200 in. The best design is proved:
    $6059.714335 at s = 0.8125, h = 0.4375, R = 42.0984456, L = 176.6365958.

    References:
        Sandgren, 1990, https://doi.org/10.1115/1.2912596;
        Kannan, Kramer, 1994, https://doi.org/10.1115/1.2919393;
        Yang, Huyck, Karamanoglu, Khan, *True global optimality of the pressure vessel design
        problem*, 2014, https://arxiv.org/abs/1403.7793 (the proof)

    Example:
        >>> best = torch.tensor([[0.8125, 0.4375, 42.0984456, 176.6365958]]).double()
        >>> PressureVessel().simulate(best)[0, 0].item()  # doctest: +ELLIPSIS
        6059.714...
    """

    Config = PressureVesselConfig
    free_calls = True
    designs = Space.of(
        *(
            Variable(
                name=name,
                # half a plate more at both ends, so that all levels are equally probable
                prior=Uniform(low=0.5 * PLATE, high=(THICKEST + 0.5) * PLATE),
                unit="in",
                description=f"thickness of the {name}, a multiple of 1/16 in",
            )
            for name in ("shell", "head")
        ),
        Variable(
            name="radius", prior=Uniform(low=10.0, high=200.0), unit="in", description="inner"
        ),
        Variable(
            name="length",
            prior=Uniform(low=10.0, high=200.0),
            unit="in",
            description="of the cylinder, without the heads",
        ),
        constraints=[Levels(variable=name, values=_PLATES) for name in ("shell", "head")],
    )
    responses = Space.of(
        Variable(name="cost", unit="$", description="of material, forming and welding"),
        Variable(name="volume", unit="in³", description="inside"),
        Variable(name="shell_margin", unit="in", description="shell beyond what the code requires"),
        Variable(name="head_margin", unit="in", description="heads beyond what the code requires"),
    )
    differentiable = True

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute responses (N, 4) of designs (N, 4); thicknesses may be anything here.

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        return pressure_vessel(x)
