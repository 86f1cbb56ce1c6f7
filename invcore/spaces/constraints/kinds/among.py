"""A list of designs to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from invcore.configs.config import Config
from invcore.spaces.constraints.kinds.single import Fixed, Levels


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


def allowed_rows(among: Among, constraints: Sequence[object]) -> list[tuple[float, ...]]:
    """The rows of a list of designs that levels and fixed values allow."""
    choices: dict[str, tuple[float, ...]] = {}
    for constraint in constraints:
        if isinstance(constraint, Levels):
            choices.setdefault(constraint.variable, constraint.values)
        if isinstance(constraint, Fixed):
            choices[constraint.variable] = (constraint.value,)
    return [
        row
        for row in among.designs
        if all(
            value in choices.get(name, (value,))
            for name, value in zip(among.variables, row, strict=True)
        )
    ]
