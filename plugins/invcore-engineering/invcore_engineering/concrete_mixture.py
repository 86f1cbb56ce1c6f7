"""The concrete-mixture task: eight parts that sum to one, a synthetic example of a mixture."""

from collections.abc import Mapping

import torch
from torch import Tensor

from invcore.plugin import (
    Cardinality,
    Config,
    LinearEquality,
    LinearInequality,
    Requirement,
    Space,
    Specification,
    Task,
    Uniform,
    Variable,
)

PARTS: Mapping[str, tuple[float, float]] = {
    "water": (0.05, 0.10),
    "cement": (0.06, 0.20),
    "slag": (0.0, 0.08),
    "fly_ash": (0.0, 0.06),
    "silica_fume": (0.0, 0.03),
    "plasticiser": (0.0, 0.006),
    "sand": (0.25, 0.45),
    "gravel": (0.30, 0.55),
}
"""Lowest and highest fraction of the mass."""
BINDERS = ("cement", "slag", "fly_ash", "silica_fume")
ADDITIVES = ("slag", "fly_ash", "silica_fume", "plasticiser")
MOST = 2
LEAST_WATER, MOST_WATER = 0.35, 0.55  # by the mass of the binders

STRENGTH = (-875.0, 295.0, 250.0, 130.0, 545.0, 900.0, 30.0, 35.0)  # MPa
SLUMP = (3600.0, -560.0, -470.0, -240.0, -2600.0, 17000.0, -60.0, 60.0)  # mm
COST = (2.0, 110.0, 65.0, 40.0, 450.0, 1800.0, 14.0, 16.0)  # $ per tonne
CARBON = (0.0, 900.0, 80.0, 25.0, 30.0, 1200.0, 5.0, 6.0)  # kg of CO2 per tonne

# Parts that work best in a certain proportion: (MPa, one, the other)
_PARTNERS = (
    (20.0, "sand", "gravel"),
    (60.0, "cement", "slag"),
    (60.0, "cement", "fly_ash"),
    (80.0, "water", "silica_fume"),
)

SPECIFICATION = Specification.of(
    strength=Requirement(low=60.0),
    slump=Requirement(low=120.0, high=180.0),
    carbon=Requirement(high=110.0),
    cost=Requirement(goal="minimise"),
)
"""The cheapest strong concrete that flows, of little CO2."""


def interactions() -> Tensor:
    """The quadratic coefficients b_ij of the strength: (8, 8), symmetric, zero on the diagonal.

    Each pair of partners, weighed w, adds w (p_i - p_j)², where p is 1 for one partner, -1 for the
    other and 0 for all else, which makes the polynomial concave where the parts sum to one.
    """
    names, total = list(PARTS), torch.zeros(8, 8, dtype=torch.float64)
    for weight, one, other in _PARTNERS:
        p = torch.zeros(8, dtype=torch.float64)
        p[names.index(one)], p[names.index(other)] = 1.0, -1.0
        total += weight * (p[:, None] - p).square()
    return total


def concrete_mixture(x: Tensor) -> Tensor:
    """Compute strength, slump, cost and CO2 of a concrete by Scheffé polynomials.

    strength = Σ b_i x_i + Σ_{i<j} b_ij x_i x_j, of the second degree; the others are of the first.
    The coefficients are made up, of sizes that concretes have: nothing is measured.

    References:
        Scheffé, *Experiments with mixtures*, Journal of the Royal Statistical Society B 20, 344
        (1958)

    Args:
        x: designs (..., 8), fractions of the mass in the order of ``PARTS``.

    Returns:
        Responses (..., 4): strength (MPa), slump (mm), cost ($/t), CO2 (kg/t), in x's dtype, from
        float64.

    Example:
        >>> x = torch.tensor([0.06, 0.12, 0.03, 0.0, 0.0, 0.002, 0.35, 0.438])
        >>> concrete_mixture(x).round(decimals=2)
        tensor([ 53.0000, 173.9800,  30.7800, 117.1800])
    """
    wide = x.to(torch.float64)
    linear = wide @ wide.new_tensor((STRENGTH, SLUMP, COST, CARBON)).T
    pairs = 0.5 * (wide @ interactions().to(wide.device) * wide).sum(dim=-1)
    strength = linear[..., 0] + pairs
    return torch.cat((strength[..., None], linear[..., 1:]), dim=-1).to(x.dtype)


class ConcreteMixtureConfig(Config):
    """Nothing to choose: the example is one problem."""


def _binders(water: float) -> dict[str, float]:
    """Coefficients of the water beyond so much of the binders."""
    return {"water": 1.0} | {name: -water for name in BINDERS}


class ConcreteMixture(Task[ConcreteMixtureConfig]):
    """Concrete mixture: eight fractions of the mass to strength, slump, cost and CO2.

    **Synthetic**: the polynomials are made up, to show what mixtures ask for. The fractions sum to
    one and have bounds; the water is 0.35 to 0.55 of the binders (cement, slag, fly ash, silica
    fume); there is no more sand than gravel; at most two of the four additives (slag, fly ash,
    silica fume, plasticiser) are there at all.

    The problem: strength at least 60 MPa, slump 120 to 180 mm, CO2 at most 110 kg/t, cost at its
    least (``SPECIFICATION``). The best design is proved, since the strength is concave and all else
    is linear for each choice of additives: $32.2739 with slag and plasticiser, at water 0.05,
    cement 0.110049, slag 0.032808, plasticiser 0.003237, sand 0.3766, gravel 0.4273. The next best
    choices cost $34.3121 (slag, silica fume) and $35.4151 (silica fume, plasticiser); no other can
    do it. With three additives it would be $30.7414.

    References:
        Scheffé, 1958; Cornell, *Experiments with Mixtures*, 3rd edition, Wiley (2002)

    Example:
        >>> x = torch.tensor([[0.06, 0.12, 0.03, 0.0, 0.0, 0.002, 0.35, 0.438]])
        >>> ConcreteMixture().simulate(x)[0, 0].round(decimals=2)
        tensor(53.)
    """

    Config = ConcreteMixtureConfig
    free_calls = True
    designs = Space.of(
        *(
            Variable(name=name, prior=Uniform(low=low, high=high), description="share of the mass")
            for name, (low, high) in PARTS.items()
        ),
        constraints=[
            LinearEquality(coefficients=dict.fromkeys(PARTS, 1.0), value=1.0),
            LinearInequality(coefficients=_binders(LEAST_WATER), low=0.0),
            LinearInequality(coefficients=_binders(MOST_WATER), high=0.0),
            LinearInequality(coefficients={"gravel": 1.0, "sand": -1.0}, low=0.0),
            Cardinality(variables=ADDITIVES, most=MOST),
        ],
    )
    responses = Space.of(
        Variable(name="strength", unit="MPa", description="compressive, after 28 days"),
        Variable(name="slump", unit="mm", description="how well it flows"),
        Variable(name="cost", unit="$/t", description="of the materials"),
        Variable(name="carbon", unit="kg/t", description="CO2 of the materials"),
    )
    differentiable = True

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute responses (N, 4) of designs (N, 8); they need not sum to one here.

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        return concrete_mixture(x)
