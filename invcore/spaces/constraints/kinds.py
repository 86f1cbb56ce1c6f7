"""Kinds of constraints that designs must satisfy, as data.

A further kind is one more class in ``Constraint``, with what ``consistency`` says of it, what
``Layout`` makes of it, and what the projection does.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from invcore.configs.config import Config


class Fixed(Config):
    """A variable has one value.

    Args:
        variable: its name.
        value: in its own units; the number of a category.
    """

    kind: Literal["fixed"] = "fixed"
    variable: str
    value: float

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that take part."""
        return (self.variable,)


class Levels(Config):
    """A variable takes some values only.

    Args:
        variable: its name.
        values: in its own units; they are kept in order, each once.

    Example:
        >>> Levels(variable="width", values=(10.0, 2.0, 5.0)).values
        (2.0, 5.0, 10.0)
    """

    kind: Literal["levels"] = "levels"
    variable: str
    values: tuple[float, ...] = Field(min_length=1)

    @field_validator("values")
    @classmethod
    def _sorted(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(values)))

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that take part."""
        return (self.variable,)


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


class Periodic(Config):
    """A variable goes round: its low and its high end are the same, as 0 and 360 degrees are.

    Networks see it as the cosine and the sine of its angle.

    Args:
        variable: its name.
        low: where a turn begins; part of it.
        high: where the turn ends; no part of it.
    """

    kind: Literal["periodic"] = "periodic"
    variable: str
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that take part."""
        return (self.variable,)


class Among(Config):
    """Some variables together are a row of a list: designs to choose from.

    Args:
        variables: their names.
        designs: the rows, a value for each of the variables.

    Example:
        >>> Among(variables=("n", "k"), designs=((1.5, 0.0), (3.4, 0.1))).names
        ('n', 'k')
    """

    kind: Literal["among"] = "among"
    variables: tuple[str, ...] = Field(min_length=1)
    designs: tuple[tuple[float, ...], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _matching(self) -> Self:
        if len(set(self.variables)) != len(self.variables):
            raise ValueError(f"a variable comes twice among {', '.join(self.variables)}")
        for row in self.designs:
            if len(row) != len(self.variables):
                raise ValueError(
                    f"a design of {len(row)} values for the {len(self.variables)} variables "
                    f"{', '.join(self.variables)}"
                )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that take part."""
        return self.variables


Constraint = Annotated[
    Fixed | Levels | LinearEquality | Periodic | Among, Field(discriminator="kind")
]
"""One of the kinds, told by its ``kind``."""
