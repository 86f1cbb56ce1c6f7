"""Constraints of sums of variables, each times a number."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from invcore.configs.config import Config
from invcore.spaces.constraints.kinds.limits import checked_ends, ends_of


class LinearEquality(Config):
    """A sum of variables, each times a number, has one value: a mixture's fractions sum to one.

    Args:
        coefficients: by the variables' names; none is zero.
        value: of the sum.
        tolerance: how far off the sum may be. A billionth of what the sum can vary always may,
            for rounding. A design that is further off is moved to the value itself.

    Example:
        >>> LinearEquality(coefficients={"sand": 1.0, "lime": 1.0}, value=1.0).names
        ('sand', 'lime')
    """

    kind: Literal["linear-equality"] = "linear-equality"
    coefficients: dict[str, float] = Field(min_length=1)
    value: float
    tolerance: float = Field(0.0, ge=0)

    @field_validator("coefficients")
    @classmethod
    def _not_zero(cls, coefficients: dict[str, float]) -> dict[str, float]:
        for name, coefficient in coefficients.items():
            if coefficient == 0:
                raise ValueError(f"the coefficient of {name!r} is zero: leave {name!r} out")
        return coefficients

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that take part."""
        return tuple(self.coefficients)

    def __hash__(self) -> int:
        return hash((*sorted(self.coefficients.items()), self.value, self.tolerance))


class LinearInequality(Config):
    """A sum of variables, each times a number, lies between two limits.

    Args:
        coefficients: by the variables' names; none is zero.
        low: the least sum that is allowed; None for no limit.
        high: the largest; None for no limit. A sum may be off by a billionth of what it can vary,
            for rounding.

    Example:
        >>> LinearInequality(coefficients={"x1": 1.0, "x2": -1.0}, high=0.0).ends
        (-inf, 0.0)
    """

    kind: Literal["linear-inequality"] = "linear-inequality"
    coefficients: dict[str, float] = Field(min_length=1)
    low: float | None = None
    high: float | None = None

    @field_validator("coefficients")
    @classmethod
    def _not_zero(cls, coefficients: dict[str, float]) -> dict[str, float]:
        for name, coefficient in coefficients.items():
            if coefficient == 0:
                raise ValueError(f"the coefficient of {name!r} is zero: leave {name!r} out")
        return coefficients

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return checked_ends(self)

    @property
    def ends(self) -> tuple[float, float]:
        """The limits, infinite where there is none."""
        return ends_of(self)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that take part."""
        return tuple(self.coefficients)

    def __hash__(self) -> int:
        return hash((*sorted(self.coefficients.items()), self.low, self.high))
