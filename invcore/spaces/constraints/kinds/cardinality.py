"""How many of some variables are used."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from invcore.configs.config import Config


class Cardinality(Config):
    """So many of some variables, at least or at most, are not zero.

    Args:
        variables: their names.
        least: how many at least.
        most: how many at most; None for any number.

    Example:
        >>> Cardinality(variables=("sand", "lime", "clay"), most=2).names
        ('sand', 'lime', 'clay')
    """

    kind: Literal["cardinality"] = "cardinality"
    variables: tuple[str, ...] = Field(min_length=1)
    least: int = Field(0, ge=0)
    most: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if len(set(self.variables)) != len(self.variables):
            raise ValueError(f"a variable comes twice among {', '.join(self.variables)}")
        if self.least > len(self.variables):
            raise ValueError(f"at least {self.least} of {len(self.variables)} variables")
        if self.most is not None and self.least > self.most:
            raise ValueError(f"at least {self.least} and at most {self.most}")
        if self.least == 0 and self.most is None:
            raise ValueError("it limits nothing: least, most, or both, please")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that take part."""
        return self.variables
