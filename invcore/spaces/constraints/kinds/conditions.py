"""Constraints that hold in one of several ways: conditions, and combinations that are ruled out."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from invcore.configs.config import Config
from invcore.spaces.constraints.kinds.limits import checked_ends, ends_of
from invcore.spaces.constraints.kinds.linear import LinearInequality


class Interval(Config):
    """A variable lies between two limits, both of which are allowed.

    Args:
        variable: its name.
        low: the lowest value; None for no limit.
        high: the highest; None for no limit.
    """

    kind: Literal["interval"] = "interval"
    variable: str
    low: float | None = None
    high: float | None = None

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
        return (self.variable,)


class Values(Config):
    """A variable has one of some values.

    Args:
        variable: its name.
        values: in its own units, the numbers of categories; they are kept in order, each once.
    """

    kind: Literal["values"] = "values"
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


Piece = Annotated[Interval | Values | LinearInequality, Field(discriminator="kind")]
"""What an alternative consists of."""


class AnyOf(Config):
    """At least one of several alternatives holds, each of which is one or more pieces at once.

    A condition, if A then B, has the alternatives not A, and B; a combination of A and B that is
    ruled out has not A, and not B.

    Args:
        alternatives: each a tuple of pieces, all of which hold where the alternative does.

    Example:
        >>> thick = Interval(variable="t", low=2.0)
        >>> AnyOf(alternatives=((Values(variable="kind", values=(0.0,)),), (thick,))).names
        ('kind', 't')
    """

    kind: Literal["any-of"] = "any-of"
    alternatives: tuple[tuple[Piece, ...], ...] = Field(min_length=1)

    @field_validator("alternatives")
    @classmethod
    def _not_empty(cls, alternatives: tuple[tuple[Piece, ...], ...]) -> object:
        if not all(alternatives):
            raise ValueError("an alternative without pieces always holds: leave the constraint out")
        return alternatives

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that take part."""
        every = (n for pieces in self.alternatives for piece in pieces for n in piece.names)
        return tuple(dict.fromkeys(every))
