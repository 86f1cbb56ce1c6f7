"""The speed-reducer task: a gearbox of one pair of wheels, its weight and how far it is used."""

from collections.abc import Mapping

import torch
from torch import Tensor

from invcore.plugin import (
    Config,
    Integers,
    LinearInequality,
    Requirement,
    Space,
    Specification,
    Task,
    Uniform,
    Variable,
)

_USES = ("tooth_bending", "tooth_contact", "deflection1", "deflection2", "stress1", "stress2")

SPECIFICATION = Specification.of(
    weight=Requirement(goal="minimise"), **{name: Requirement(high=1.0) for name in _USES}
)
"""The classical problem."""


def speed_reducer(x: Tensor) -> Tensor:
    """Compute a gearbox's weight, and six loads as shares of what is allowed.

    With the width b, the module m, z teeth on the pinion, shafts of lengths l and diameters d:

    * weight, as a volume: 0.7854 b m² (3.3333 z² + 14.9334 z - 43.0934) - 1.508 b (d₁² + d₂²)
      + 7.4777 (d₁³ + d₂³) + 0.7854 (l₁ d₁² + l₂ d₂²);
    * bending of the teeth 27 / (b m² z), their contact 397.5 / (b m² z²);
    * deflection of a shaft 1.93 l³ / (m z d⁴);
    * stress in a shaft √((745 l / (m z))² + c) / (k d³), c = 16.9e6 and 157.5e6, k = 110 and 85.

    References:
        Golinski, *Optimal synthesis problems solved by means of nonlinear programming and random
        methods*, Journal of Mechanisms 5, 287 (1970),
        https://doi.org/10.1016/0022-2569(70)90064-9;
        Ray, *Golinski's speed reducer problem revisited*, AIAA Journal 41, 556 (2003),
        https://doi.org/10.2514/2.1984

    Args:
        x: designs (..., 7): b, m (cm), z, l₁, l₂, d₁, d₂ (cm).

    Returns:
        Responses (..., 7): weight (cm³), six shares, in x's dtype, from float64.

    Example:
        >>> x = torch.tensor([3.5, 0.7, 17.0, 7.3, 7.8, 3.36, 5.29])
        >>> speed_reducer(x)
        tensor([3.0010e+03, 9.2608e-01, 8.0200e-01, 4.9502e-01, 9.8281e-02, 9.9129e-01,
                9.9812e-01])
    """
    b, m, z, l1, l2, d1, d2 = x.to(torch.float64).unbind(-1)
    weight = (
        0.7854 * b * m.square() * (3.3333 * z.square() + 14.9334 * z - 43.0934)
        - 1.508 * b * (d1.square() + d2.square())
        + 7.4777 * (d1**3 + d2**3)
        + 0.7854 * (l1 * d1.square() + l2 * d2.square())
    )
    volume = b * m.square() * z
    shafts = (l1, d1, 16.9e6, 110.0), (l2, d2, 157.5e6, 85.0)
    deflections = [1.93 * length**3 / (m * z * d**4) for length, d, _, _ in shafts]
    stresses = [
        ((745 * length / (m * z)).square() + torque).sqrt() / (allowed * d**3)
        for length, d, torque, allowed in shafts
    ]
    uses = (27 / volume, 397.5 / (volume * z), *deflections, *stresses)
    return torch.stack((weight, *uses), dim=-1).to(x.dtype)


class SpeedReducerConfig(Config):
    """Nothing to choose: the classical problem fixes everything."""


class SpeedReducer(Task[SpeedReducerConfig]):
    """Speed reducer: wheels and two shafts to weight, and six loads as shares of the allowed ones.

    Of the eleven classical constraints six are about loads: responses that are at most 1. Four are
    about shapes, linear in the design, and hold for every design that can be made: 5 ≤ b/m ≤ 12,
    and bearings that fit, l₁ ≥ 1.5 d₁ + 1.9 and l₂ ≥ 1.1 d₂ + 1.9. The last, m z ≤ 40, holds
    within the bounds, where m z is at most 22.4. The number of teeth is whole.

    The classical problem: weight at its least, loads at most 1 (``SPECIFICATION``). Best design:
    2994.471066 at b = 3.5, m = 0.7, z = 17, l₁ = 7.3, l₂ = 7.7153199, d₁ = 3.3502147,
    d₂ = 5.2866545. Papers whose l₂ begins at 7.8 have 2996.348165.

    References:
        Golinski, 1970, https://doi.org/10.1016/0022-2569(70)90064-9;
        Ray, 2003, https://doi.org/10.2514/2.1984;
        Zhang, Luo, Wang, *Differential evolution with dynamic stochastic selection for constrained
        optimization*, Information Sciences 178, 3043 (2008) (2994.471066)

    Example:
        >>> best = torch.tensor([[3.5, 0.7, 17.0, 7.3, 7.7153199, 3.3502147, 5.2866545]]).double()
        >>> SpeedReducer().simulate(best)[0, 0].item()  # doctest: +ELLIPSIS
        2994.471...
    """

    Config = SpeedReducerConfig
    free_calls = True
    designs = Space.of(
        Variable(
            name="b", prior=Uniform(low=2.6, high=3.6), unit="cm", description="width of the wheels"
        ),
        Variable(
            name="m", prior=Uniform(low=0.7, high=0.8), unit="cm", description="module of the teeth"
        ),
        Variable(name="z", prior=Integers(low=17, high=28), description="teeth of the pinion"),
        Variable(
            name="l1",
            prior=Uniform(low=7.3, high=8.3),
            unit="cm",
            description="first shaft, length",
        ),
        Variable(
            name="l2",
            prior=Uniform(low=7.3, high=8.3),
            unit="cm",
            description="second shaft, length",
        ),
        Variable(
            name="d1",
            prior=Uniform(low=2.9, high=3.9),
            unit="cm",
            description="first shaft, diameter",
        ),
        Variable(
            name="d2",
            prior=Uniform(low=5.0, high=5.5),
            unit="cm",
            description="second shaft, diameter",
        ),
        constraints=[
            LinearInequality(coefficients={"b": 1.0, "m": -5.0}, low=0.0),
            LinearInequality(coefficients={"b": 1.0, "m": -12.0}, high=0.0),
            LinearInequality(coefficients={"l1": 1.0, "d1": -1.5}, low=1.9),
            LinearInequality(coefficients={"l2": 1.0, "d2": -1.1}, low=1.9),
        ],
    )
    responses = Space.of(
        Variable(
            name="weight", unit="cm³", description="volume of the material, as which it is weighed"
        ),
        *(
            Variable(name=name, description=f"{what}, share of the allowed one")
            for name, what in zip(
                _USES,
                (
                    "bending stress of the teeth",
                    "contact stress of the teeth",
                    "deflection of the first shaft",
                    "deflection of the second shaft",
                    "stress in the first shaft",
                    "stress in the second shaft",
                ),
                strict=True,
            )
        ),
    )
    differentiable = True

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute responses (N, 7) of designs (N, 7).

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        return speed_reducer(x)
