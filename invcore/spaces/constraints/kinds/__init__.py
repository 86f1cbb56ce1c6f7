"""Kinds of constraints that designs must satisfy, as data.

A further kind is one more class in ``Constraint``, with what ``consistency`` says of it, how far
``Violations`` says it is violated, what ``encoding`` makes of it for projection and sampling, and
its text in ``language``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from invcore.spaces.constraints.kinds.among import Among
from invcore.spaces.constraints.kinds.cardinality import Cardinality
from invcore.spaces.constraints.kinds.conditions import AnyOf, Interval, Piece, Values
from invcore.spaces.constraints.kinds.linear import LinearEquality, LinearInequality
from invcore.spaces.constraints.kinds.nonlinear import Nonlinear
from invcore.spaces.constraints.kinds.single import Fixed, Levels, Periodic

Constraint = Annotated[
    Fixed
    | Levels
    | LinearEquality
    | LinearInequality
    | Periodic
    | Among
    | AnyOf
    | Cardinality
    | Nonlinear,
    Field(discriminator="kind"),
]
"""One of the kinds, told by its ``kind``."""

__all__ = [
    "Among", "AnyOf", "Cardinality", "Constraint", "Fixed", "Interval", "Levels", "LinearEquality",
    "LinearInequality", "Nonlinear", "Periodic", "Piece", "Values",
]  # fmt: skip
