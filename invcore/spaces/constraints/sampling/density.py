"""How likely values are under a prior, up to a factor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from invcore.base.errors import DataError
from invcore.spaces.priors import (
    Categorical,
    ClippedNormal,
    Integers,
    LogNormal,
    LogUniform,
    Normal,
    Poisson,
    Prior,
    TruncatedNormal,
    Uniform,
)
from invcore.spaces.variable import Variable


def prior_of(variable: Variable) -> Prior:
    """The prior of a variable.

    Raises:
        DataError: it has none.
    """
    if variable.prior is None:
        raise DataError(f"variable {variable.name!r} has no prior to draw from")
    return variable.prior


def log_density(variables: Sequence[Variable], values: Tensor) -> Tensor:
    """Logarithm of the density or probability of values (…, g), up to a constant: (…,).

    Ends of a clipped normal count as points of the normal.
    """
    total = torch.zeros(values.shape[:-1], dtype=torch.float64)
    for i, variable in enumerate(variables):
        total = total + _one(prior_of(variable), values[..., i].double())
    return total


def flat(variable: Variable) -> bool:
    """Whether all values of a variable are equally likely."""
    prior = prior_of(variable)
    equal = isinstance(prior, Categorical) and prior.weights is None
    return equal or isinstance(prior, Uniform | Integers)


def most_likely(variable: Variable, low: float, high: float) -> float:
    """The largest log density between two ends."""
    prior = prior_of(variable)
    if isinstance(prior, Normal | TruncatedNormal | ClippedNormal):
        at = min(max(prior.mean, low), high)
    elif isinstance(prior, LogNormal):
        at = min(max(math.exp(prior.mean - prior.std**2), low), high)
    elif isinstance(prior, Poisson):
        at = min(max(prior.rate, low), high)
    else:
        at = low
    return float(_one(prior, torch.tensor(at, dtype=torch.float64)))


def _one(prior: Prior, x: Tensor) -> Tensor:
    if isinstance(prior, LogUniform):
        return -x.clamp(min=1e-300).log() + math.log(prior.high)
    if isinstance(prior, LogNormal):
        logarithm = x.clamp(min=1e-300).log()
        return -0.5 * ((logarithm - prior.mean) / prior.std).square() - logarithm
    if isinstance(prior, Normal | TruncatedNormal | ClippedNormal):
        return -0.5 * ((x - prior.mean) / prior.std).square()
    if isinstance(prior, Poisson):
        k = x.clamp(min=0.0)
        return k * math.log(prior.rate) - prior.rate - torch.lgamma(k + 1)
    if isinstance(prior, Categorical) and prior.weights is not None:
        weights = torch.tensor(prior.weights, dtype=torch.float64)
        return weights[x.round().clamp(0, len(weights) - 1).long()].log()
    return torch.zeros_like(x)
