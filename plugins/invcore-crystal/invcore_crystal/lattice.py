"""What the task's designs and responses are, and which designs are equivalent."""

import torch
from torch import Tensor

from invcore.plugin import Space, Uniform, Variable

UNSTRAINED = (3.16, 3.16, 12.3, 90.0, 90.0, 120.0)
"""a, b, c in Å, alpha, beta, gamma in degrees: the centres of the table's ranges."""
HIGHEST = 3.0
"""Above all gaps of the table (2.391 eV); for axes."""

# The table's smallest and largest values, rounded outwards: 20% to each side of the centres.
_LENGTHS = ((2.528, 3.793), (2.528, 3.793), (9.836, 14.754))
_ANGLES = ((72.0, 108.0), (72.0, 108.0), (96.0, 144.0))

SYMMETRIES = (
    # a and b change names, and with them alpha and beta
    ("b", "a", "c", "beta", "alpha", "beta'", "alpha'", "gamma", "strength"),
    # c points the other way
    ("a", "b", "c", "alpha'", "beta'", "alpha", "beta", "gamma", "strength"),
)
"""Orders of the features that leave the gap as it is."""


def design_space() -> Space:
    """Three lengths, three angles, and the field; uniform between the table's ends."""
    lengths = zip("abc", _LENGTHS, strict=True)
    angles = zip(("alpha", "beta", "gamma"), _ANGLES, strict=True)
    between = {"alpha": "b and c", "beta": "a and c", "gamma": "a and b"}
    return Space.of(
        *(_variable(n, low, high, "Å", f"length of cell vector {n}") for n, (low, high) in lengths),
        *(_variable(n, low, high, "°", f"between {between[n]}") for n, (low, high) in angles),
        _variable("field", -1.0, 1.0, "", "external electric field, as the table has it"),
    )


def response_space() -> Space:
    """The band gap."""
    return Space.of(Variable(name="gap", unit="eV", description="band gap; 0 for a metal", low=0.0))


def feature_space() -> Space:
    """What the proxy's networks see: the angles with c twice, and the field's strength."""
    designs = {v.name: v for v in design_space().variables}
    primed = [
        designs[name].model_copy(update={"name": f"{name}'", "description": f"180° - {name}"})
        for name in ("alpha", "beta")
    ]
    strength = _variable("strength", 0.0, 1.0, "", "absolute value of the field")
    first = [designs[name] for name in ("a", "b", "c", "alpha", "beta")]
    return Space.of(*first, *primed, designs["gamma"], strength)


def features(x: Tensor) -> Tensor:
    """Features (N, 9) of designs (N, 7); equivalent designs differ by an order of them alone.

    Example:
        >>> features(torch.tensor([[3.0, 3.1, 12.0, 80.0, 95.0, 120.0, -0.5]])).tolist()
        [[3.0, 3.0999999046325684, 12.0, 80.0, 95.0, 100.0, 85.0, 120.0, 0.5]]
    """
    tilts = x[:, 3:5]
    return torch.cat([x[:, :5], 180.0 - tilts, x[:, 5:6], x[:, 6:].abs()], dim=1)


def equivalents(x: Tensor) -> Tensor:
    """The eight designs (8, N, 7) with the gap of x (N, 7), itself first."""
    designs = [x]
    for change in (_swapped, _reversed, _opposed):
        designs += [change(one) for one in designs]
    return torch.stack(designs)


def _swapped(x: Tensor) -> Tensor:
    return x[:, [1, 0, 2, 4, 3, 5, 6]]


def _reversed(x: Tensor) -> Tensor:
    return torch.cat([x[:, :3], 180.0 - x[:, 3:5], x[:, 5:]], dim=1)


def _opposed(x: Tensor) -> Tensor:
    return torch.cat([x[:, :6], -x[:, 6:]], dim=1)


def _variable(name: str, low: float, high: float, unit: str, description: str) -> Variable:
    prior = Uniform(low=low, high=high)
    return Variable(name=name, prior=prior, unit=unit, description=description)
