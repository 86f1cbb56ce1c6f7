"""Lower and upper limits, either of which may be missing."""

from __future__ import annotations

import math
from typing import Protocol, TypeVar


class Limited(Protocol):
    """What has a lower and an upper limit."""

    @property
    def low(self) -> float | None:
        """None for no limit."""

    @property
    def high(self) -> float | None:
        """None for no limit."""


L = TypeVar("L", bound=Limited)


def ends_of(limited: Limited) -> tuple[float, float]:
    """The limits, infinite where there is none."""
    low = -math.inf if limited.low is None else limited.low
    return low, math.inf if limited.high is None else limited.high


def checked_ends(limited: L) -> L:
    """What was given, whose limits are in order.

    Raises:
        ValueError: there is no limit, or low is above high.
    """
    if limited.low is None and limited.high is None:
        raise ValueError("it limits nothing: low, high, or both, please")
    low, high = ends_of(limited)
    if not low <= high:
        raise ValueError(f"low {limited.low} must not be above high {limited.high}")
    return limited
