"""Specifications: what is wanted of each response, by name, as data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from invcore.configs.config import Config
from invcore.expressions.names import written

Goal = Literal["meet", "minimise", "maximise", "ignore"]


class Requirement(Config):
    """What is wanted of one response.

    Args:
        low: the lowest value that is good; None for no limit.
        high: the highest value that is good; None for no limit. Equal ends are one exact value.
        goal: ``meet`` the interval, ``minimise`` or ``maximise`` within it, or ``ignore`` the
            response.
        weight: how much a violation counts beside those of other responses.
        tolerance: the violation, in the response's own units, that counts as one; None: the
            response's standard deviation among training pairs.

    Example:
        >>> Requirement.exact(1.2).is_exact, Requirement(low=0.5, high=0.7).is_exact
        (True, False)
    """

    low: float | None = None
    high: float | None = None
    goal: Goal = "meet"
    weight: float = Field(1.0, gt=0)
    tolerance: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.ends
        if low > high:
            raise ValueError(f"low {self.low} must not be above high {self.high}")
        if self.goal == "meet" and self.low is None and self.high is None:
            raise ValueError("goal 'meet' needs low, high, or both; 'ignore' asks for nothing")
        if self.goal == "ignore" and (self.low is not None or self.high is not None):
            raise ValueError("goal 'ignore' takes no low and no high")
        return self

    @classmethod
    def exact(cls, value: float) -> Self:
        """One value, and no other."""
        return cls(low=value, high=value)

    @property
    def ends(self) -> tuple[float, float]:
        """The interval, infinite where nothing limits it."""
        low = -math.inf if self.low is None else self.low
        return low, math.inf if self.high is None else self.high

    @property
    def is_exact(self) -> bool:
        """Whether it is one value, of weight 1 and without a tolerance: a target as it was."""
        plain = self.weight == 1.0 and self.tolerance is None
        return plain and self.goal == "meet" and self.low is not None and self.low == self.high

    def text(self) -> str:
        """It as a wish has it behind a name: what ``invcore.spaces.wishes`` reads to the same.

        Example:
            >>> Requirement(low=0.5, high=0.7, weight=2.0).text()
            '0.5:0.7, weight=2'
            >>> Requirement(goal="minimise", high=5.0).text(), Requirement(low=1.2).text()
            ('min, <=5', '>=1.2')
        """
        parts = [{"minimise": "min", "maximise": "max", "ignore": "any"}.get(self.goal, "")]
        if self.low is not None and self.high is not None:
            ends = [shortest(end) for end in dict.fromkeys((self.low, self.high))]
            parts.append(":".join(ends))
        elif self.low is not None:
            parts.append(f">={shortest(self.low)}")
        elif self.high is not None:
            parts.append(f"<={shortest(self.high)}")
        if self.weight != 1.0:
            parts.append(f"weight={shortest(self.weight)}")
        if self.tolerance is not None:
            parts.append(f"tolerance={shortest(self.tolerance)}")
        return ", ".join(part for part in parts if part)


def shortest(value: float) -> str:
    """The shortest text that is the number again.

    Example:
        >>> shortest(3.0), shortest(0.1)
        ('3', '0.1')
    """
    return repr(float(value)).removesuffix(".0")


def with_name(name: str, text: str) -> str:
    """A requirement's text behind its response's name.

    Example:
        >>> with_name("fly ash", "<=3"), with_name("gap", "min")
        ('`fly ash`<=3', 'gap=min')
    """
    return written(name) + ("" if text[:1] in "<>" else "=") + text


class Specification(Config):
    """What is wanted of one target: requirements by the responses' names.

    A response that is not named is ignored.

    Example:
        >>> gap = Requirement(low=0.5, high=0.7)
        >>> wanted = Specification.of(gap=gap, mass=Requirement(goal="minimise"))
        >>> sorted(wanted.requirements)
        ['gap', 'mass']
    """

    requirements: dict[str, Requirement] = Field(min_length=1)

    @classmethod
    def of(
        cls, requirements: Mapping[str, Requirement] | None = None, /, **more: Requirement
    ) -> Self:
        """Make a specification from requirements, by a mapping or by keywords."""
        return cls(requirements={**(requirements or {}), **more})

    def text(self, most: int = 0) -> str:
        """It as one line, each requirement as a wish.

        Args:
            most: how many are named before "and 7 more"; 0 for all.

        Example:
            >>> Specification.of(gap=Requirement(low=0.5, high=0.7)).text()
            'gap=0.5:0.7'
        """
        return listed([with_name(n, r.text()) for n, r in self.requirements.items()], most)


def listed(texts: list[str], most: int) -> str:
    """Texts in one line; behind so many of them (0: all), how many more there are."""
    if not most or len(texts) <= most:
        return "; ".join(texts)
    return "; ".join(texts[:most]) + f"; and {len(texts) - most:,} more"
