"""A constraint that an expression defines."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import field_validator, model_validator

from invcore.base.text import quoted
from invcore.configs.config import Config
from invcore.expressions.parser import parse_term
from invcore.expressions.syntax import Term, names_in
from invcore.spaces.constraints.kinds.limits import checked_ends, ends_of


class Nonlinear(Config):
    """The value of an expression lies between two limits.

    It holds where the value is off by at most a millionth of what the expression varies within the
    variables' bounds. Where the expression has no value, it does not.

    Args:
        expression: of the variables' names, as ``invcore.expressions`` reads it.
        low: the least value that is allowed; None for no limit.
        high: the largest; None for no limit.

    Example:
        >>> Nonlinear(expression="width * height", high=3.0).names
        ('width', 'height')
    """

    kind: Literal["nonlinear"] = "nonlinear"
    expression: str
    low: float | None = None
    high: float | None = None

    @field_validator("expression")
    @classmethod
    def _readable(cls, expression: str) -> str:
        names = list(names_in(parse_term(expression)))
        if not names:
            raise ValueError(f"{quoted(expression)} names no variable")
        return expression

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return checked_ends(self)

    @property
    def term(self) -> Term:
        """The expression, parsed."""
        return parse_term(self.expression)

    @property
    def ends(self) -> tuple[float, float]:
        """The limits, infinite where there is none."""
        return ends_of(self)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that take part; ``pi`` is a number."""
        every = names_in(self.term)
        return tuple(name for name in dict.fromkeys(every) if name != "pi")
