"""Wishes: a requirement of one response, perhaps relative to what is given for each target."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from invcore.base.errors import ConfigError
from invcore.base.text import quoted
from invcore.spaces.specification import Requirement, shortest, with_name

Unit = Literal["", "%", "sd"]
"""Of a half width: the response's own, percent of the centre, or the responses' deviation."""


@dataclass(frozen=True)
class Band:
    """An interval around a response that is given with each target, or in units of a spread.

    Args:
        below: how far below the centre it reaches; infinite for no limit.
        above: how far above.
        unit: of both.
        centre: None: the given response.
    """

    below: float
    above: float
    unit: Unit = ""
    centre: float | None = None

    def ends(self, given: float | None, spread: float | None) -> tuple[float, float]:
        """The interval.

        Args:
            given: the response that is given.
            spread: the response's standard deviation among training pairs.

        Raises:
            ConfigError: what it needs is not known.
        """
        centre = given if self.centre is None else self.centre
        if centre is None or not math.isfinite(centre):
            raise ConfigError(f"{self.text()} needs a response that is given, and there is none")
        scale = 1.0
        if self.unit == "%":
            scale = abs(centre) / 100
        elif self.unit == "sd":
            if spread is None or not math.isfinite(spread):
                raise ConfigError(f"{self.text()} needs known responses, and there are none")
            scale = spread
        below, above = (0.0 if end == 0 else end * scale for end in (self.below, self.above))
        return (
            -math.inf if math.isinf(self.below) else centre - below,
            math.inf if math.isinf(self.above) else centre + above,
        )

    def text(self) -> str:
        """It as a wish has it.

        Example:
            >>> Band(5.0, 5.0, "%").text(), Band(0.0, 0.0).text(), Band(0.0, math.inf).text()
            ('±5%', 'given', '>=given')
        """
        if math.isinf(self.above):
            return ">=given"
        if math.isinf(self.below):
            return "<=given"
        if self.centre is None and self.above == 0:
            return "given"
        centre = "" if self.centre is None else shortest(self.centre)
        return f"{centre}±{shortest(self.above)}{self.unit}"


@dataclass(frozen=True)
class Wish:
    """What is wanted of one response.

    Args:
        name: of the response.
        requirement: what is wanted whatever is given; ``ignore`` if that is nothing.
        relative: bands that the response is to be in as well.
    """

    name: str
    requirement: Requirement
    relative: tuple[Band, ...] = ()

    @property
    def needs_given(self) -> bool:
        """Whether it is relative to a response that is given."""
        return any(band.centre is None for band in self.relative)

    @property
    def needs_spread(self) -> bool:
        """Whether it is measured in the responses' standard deviation."""
        return any(band.unit == "sd" for band in self.relative)

    @property
    def is_any(self) -> bool:
        """Whether nothing is wanted."""
        return self.requirement.goal == "ignore" and not self.relative

    def joined(self, other: Wish) -> Wish:
        """What both want of one response.

        Raises:
            ConfigError: they contradict each other.
        """
        first, second = self.requirement, other.requirement
        goals = {r.goal for r in (first, second)} & {"minimise", "maximise"}
        low = max(first.ends[0], second.ends[0])
        high = min(first.ends[1], second.ends[1])
        weights = {r.weight for r in (first, second)} - {1.0}
        tolerances = {r.tolerance for r in (first, second)} - {None}
        if max(len(goals), len(weights), len(tolerances)) > 1 or low > high:
            raise ConfigError(
                f"{quoted(self.text(), 80)} and {quoted(other.text(), 80)} contradict each other; "
                "take one of them back"
            )
        bounded = math.isfinite(low) or math.isfinite(high)
        requirement = Requirement(
            low=low if math.isfinite(low) else None, high=high if math.isfinite(high) else None,
            goal=goals.pop() if goals else "meet" if bounded else "ignore",
            weight=weights.pop() if weights else 1.0,
            tolerance=tolerances.pop() if tolerances else None,
        )  # fmt: skip
        bands = tuple(dict.fromkeys((*self.relative, *other.relative)))
        return replace(self, requirement=requirement, relative=bands)

    def at(self, given: float | None = None, spread: float | None = None) -> Requirement:
        """The requirement for one target.

        Args:
            given: the response that it is relative to.
            spread: the response's standard deviation among training pairs.

        Raises:
            ConfigError: what it needs is not known, or nothing is left of its bands.
        """
        whole = Wish(self.name, self.requirement)
        for band in self.relative:
            low, high = band.ends(given, spread)
            limits = Requirement(
                low=low if math.isfinite(low) else None, high=high if math.isfinite(high) else None
            )
            whole = whole.joined(Wish(self.name, limits))
        return whole.requirement

    def text(self) -> str:
        """It as text that is read to the same.

        Example:
            >>> Wish("gap", Requirement(goal="ignore", weight=2.0), (Band(5.0, 5.0, "%"),)).text()
            'gap=±5%, weight=2'
        """
        return with_name(self.name, self.value)

    @property
    def value(self) -> str:
        """Its text without the name."""
        parts = self.requirement.text().split(", ")
        bands = [band.text() for band in self.relative]
        if self.requirement.goal == "ignore":
            parts = parts[1:] if bands else parts
            return ", ".join([*bands, *parts])
        return ", ".join([parts[0], *bands, *parts[1:]])
