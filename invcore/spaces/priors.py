"""Priors of one design variable: where designs come from, and the map from the unit interval.

Each prior gives ``quantile`` (unit interval to value), ``cdf`` (value to unit interval: the middle
of the value's interval where the prior is discrete) and ``support``.
"""

import math
from typing import Annotated, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from invcore.configs.config import Config
from invcore.spaces.descriptors import check_descriptors

_EDGE = 2.0**-40  # keeps infinite tails finite: 7 standard deviations of a normal
_TAIL = 7.05  # of them, beyond which less than 1e-12 is left


def _below(z: Tensor) -> Tensor:
    """The standard normal's distribution function, float64: ``ndtr`` has no digits below -8."""
    return 0.5 * torch.special.erfc(-z.double() * math.sqrt(0.5))


def _standard(u: Tensor) -> Tensor:
    """The standard normal's quantile, float64: in float32 the upper end would round to 1."""
    return torch.special.ndtri(u.double().clamp(_EDGE, 1 - _EDGE))


class Uniform(Config):
    """Uniform on [low, high].

    Example:
        >>> Uniform(low=-1.0, high=1.0).quantile(torch.tensor([0.25]))
        tensor([-0.5000])
    """

    kind: Literal["uniform"] = "uniform"
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        return self

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        return self.low, self.high

    def quantile(self, u: Tensor) -> Tensor:
        """Inverse of the distribution function, elementwise."""
        return self.low + u * (self.high - self.low)

    def cdf(self, x: Tensor) -> Tensor:
        """Distribution function, elementwise."""
        return ((x - self.low) / (self.high - self.low)).clamp(0.0, 1.0)


class LogUniform(Config):
    """Uniform in the logarithm, on [low, high] above zero: each factor of ten is as likely.

    Networks learn such a variable on a logarithmic scale.

    Example:
        >>> LogUniform(low=1.0, high=100.0).quantile(torch.tensor([0.5]))
        tensor([10.])
    """

    kind: Literal["log-uniform"] = "log-uniform"
    low: float = Field(gt=0)
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        return self

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        return self.low, self.high

    def quantile(self, u: Tensor) -> Tensor:
        """Inverse of the distribution function, elementwise."""
        low, high = math.log(self.low), math.log(self.high)
        return (low + u.double() * (high - low)).exp().clamp(self.low, self.high).to(u.dtype)

    def cdf(self, x: Tensor) -> Tensor:
        """Distribution function, elementwise."""
        low, high = math.log(self.low), math.log(self.high)
        inside = x.double().clamp(self.low, self.high)
        return ((inside.log() - low) / (high - low)).clamp(0.0, 1.0).to(x.dtype)


class Normal(Config):
    """Normal with mean and standard deviation; unbounded."""

    kind: Literal["normal"] = "normal"
    mean: float
    std: float = Field(gt=0)

    @property
    def support(self) -> tuple[float, float]:
        """The whole line."""
        return -math.inf, math.inf

    def quantile(self, u: Tensor) -> Tensor:
        """Inverse of the distribution function, elementwise."""
        return (self.mean + self.std * _standard(u)).to(u.dtype)

    def cdf(self, x: Tensor) -> Tensor:
        """Distribution function, elementwise."""
        return _below((x.double() - self.mean) / self.std).to(x.dtype)


class LogNormal(Config):
    """Above zero, with a normal logarithm of that mean and standard deviation; cut where less than
    1e-12 of it is left on either side. Networks learn its logarithm.
    """

    kind: Literal["log-normal"] = "log-normal"
    mean: float = Field(ge=-300, le=300)
    std: float = Field(gt=0, le=50)

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        return math.exp(self.mean - _TAIL * self.std), math.exp(self.mean + _TAIL * self.std)

    def quantile(self, u: Tensor) -> Tensor:
        """Inverse of the distribution function, elementwise."""
        return (self.mean + self.std * _standard(u)).exp().clamp(*self.support).to(u.dtype)

    def cdf(self, x: Tensor) -> Tensor:
        """Distribution function, elementwise."""
        inside = x.double().clamp(*self.support)
        return _below((inside.log() - self.mean) / self.std).to(x.dtype)


class _Cut(Config):
    """A normal with ends."""

    mean: float
    std: float = Field(gt=0)
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.support
        if not low < high:
            raise ValueError(f"low {low} must be below high {high}")
        return self

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        low, high = self.low, self.high
        return (-math.inf if low is None else low, math.inf if high is None else high)


class TruncatedNormal(_Cut):
    """Normal given that it lies in [low, high]."""

    kind: Literal["truncated-normal"] = "truncated-normal"

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        below, above, _ = self._ends()
        if not below < above:
            raise ValueError("no part of the normal lies between low and high")
        return self

    def _ends(self) -> tuple[float, float, float]:
        """The normal's shares below the two ends, and -1 where they are those of its mirror image.

        An interval above the mean is mirrored: only below the mean do small shares have digits.
        """
        low, high = ((end - self.mean) / self.std for end in self.support)
        sign = -1.0 if low > 0 else 1.0
        first, last = sorted((sign * low, sign * high))
        below, above = _below(torch.tensor([first, last], dtype=torch.float64)).tolist()
        return below, above, sign

    def quantile(self, u: Tensor) -> Tensor:
        """Inverse of the distribution function, elementwise."""
        below, above, sign = self._ends()
        share = u.double().clamp(_EDGE, 1 - _EDGE)
        inner = below + (share if sign > 0 else 1 - share) * (above - below)
        x = self.mean + sign * self.std * torch.special.ndtri(inner)
        return x.clamp(*self.support).to(u.dtype)

    def cdf(self, x: Tensor) -> Tensor:
        """Distribution function, elementwise."""
        below, above, sign = self._ends()
        inside = x.double().clamp(*self.support)
        share = (_below(sign * (inside - self.mean) / self.std) - below) / (above - below)
        return (share if sign > 0 else 1 - share).clamp(0.0, 1.0).to(x.dtype)


class ClippedNormal(_Cut):
    """Normal moved to the nearest end where it falls outside [low, high]: the ends carry mass.

    Example:
        >>> ClippedNormal(mean=1.5, std=0.5, low=0.0).quantile(torch.tensor([1e-6]))
        tensor([0.])
    """

    kind: Literal["clipped-normal"] = "clipped-normal"

    def quantile(self, u: Tensor) -> Tensor:
        """Inverse of the distribution function, elementwise."""
        return (self.mean + self.std * _standard(u)).clamp(*self.support).to(u.dtype)

    def cdf(self, x: Tensor) -> Tensor:
        """Distribution function of the unclipped normal, elementwise."""
        return _below((x.double().clamp(*self.support) - self.mean) / self.std).to(x.dtype)


class _Steps(Config):
    """A prior on finitely many values first, first + 1, …; subclasses say how likely each is."""

    def _first(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} says no first value")

    def _weights(self) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} says no weights")

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        first = self._first()
        return float(first), float(first + len(self._weights()) - 1)

    def _cumulative(self, like: Tensor) -> Tensor:
        weights = self._weights().to(like.device)
        return (weights.cumsum(0) / weights.sum()).to(like.dtype)

    def quantile(self, u: Tensor) -> Tensor:
        """Inverse of the distribution function, elementwise; gives whole numbers."""
        cumulative = self._cumulative(u)
        index = torch.searchsorted(cumulative, u.contiguous(), right=True)
        return (index.clamp(max=len(cumulative) - 1) + self._first()).to(u.dtype)

    def cdf(self, x: Tensor) -> Tensor:
        """The middle of the value's interval of the unit interval, elementwise."""
        cumulative = self._cumulative(x)
        steps = (x.round() - self._first()).clamp(0, len(cumulative) - 1)
        index = steps.nan_to_num(nan=0.0).long()  # NaN would be an index far outside
        below = torch.where(index > 0, cumulative[(index - 1).clamp(min=0)], 0.0)
        return torch.where(x.isnan(), x, 0.5 * (below + cumulative[index]))


class Poisson(_Steps):
    """Poisson with a rate, cut where less than 1e-12 of it is left on either side.

    Example:
        >>> Poisson(rate=15.0).quantile(torch.tensor([0.5]))
        tensor([15.])
    """

    kind: Literal["poisson"] = "poisson"
    rate: float = Field(gt=0, le=1e6)
    relaxed: bool = Field(
        False, description="Draws are whole numbers, but designs may lie between them."
    )

    def _range(self) -> tuple[int, int]:
        spread = 7.5 * math.sqrt(self.rate) + 12.0
        return max(0, math.floor(self.rate - spread)), math.ceil(self.rate + spread)

    def _first(self) -> int:
        return self._range()[0]

    def _weights(self) -> Tensor:
        first, last = self._range()
        k = torch.arange(first, last + 1, dtype=torch.float64)
        return (k * math.log(self.rate) - self.rate - torch.lgamma(k + 1)).exp()


class Integers(_Steps):
    """Whole numbers from low to high, equally likely."""

    kind: Literal["integers"] = "integers"
    low: int
    high: int

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high <= self.low + 10_000_000:
            raise ValueError(f"low {self.low} must be below high {self.high}, by at most 1e7")
        return self

    def _first(self) -> int:
        return self.low

    def _weights(self) -> Tensor:
        return torch.ones(self.high - self.low + 1, dtype=torch.float64)


class Categorical(_Steps):
    """Named categories, stored as 0, 1, 2, …; equally likely unless weights are given.

    With ``descriptors``, numbers that say what each category is like (an index, a density), these
    are what networks see of it, so that what is learnt of one category tells of those like it.
    """

    kind: Literal["categorical"] = "categorical"
    categories: tuple[str, ...] = Field(min_length=2)
    weights: tuple[float, ...] | None = None
    descriptors: tuple[tuple[float, ...], ...] | None = None

    @model_validator(mode="after")
    def _matching(self) -> Self:
        if len(set(self.categories)) != len(self.categories):
            raise ValueError("two categories have one name")
        if self.weights is not None:
            if len(self.weights) != len(self.categories):
                raise ValueError("as many weights as categories, please")
            if min(self.weights) < 0 or sum(self.weights) <= 0:
                raise ValueError("weights must not be negative, and not all zero")
        if self.descriptors is not None:
            check_descriptors(self.categories, self.descriptors)
        return self

    def _first(self) -> int:
        return 0

    def _weights(self) -> Tensor:
        weights = self.weights or (1.0,) * len(self.categories)
        return torch.tensor(weights, dtype=torch.float64)


Prior = Annotated[
    Uniform
    | LogUniform
    | Normal
    | LogNormal
    | TruncatedNormal
    | ClippedNormal
    | Poisson
    | Integers
    | Categorical,
    Field(discriminator="kind"),
]
