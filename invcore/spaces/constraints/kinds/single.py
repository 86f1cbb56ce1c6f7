"""Constraints of single variables: one value, levels, a value that goes round."""

from __future__ import annotations

from typing import Literal, Self

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
