"""Choices that are made for one batch: variables that have one value in it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from invcore.base.errors import ConfigError, UnknownNameError, close_names
from invcore.spaces.constraints.kinds import Fixed
from invcore.spaces.space import Space


def fixed_space(designs: Space, fixed: Mapping[str, float]) -> Space:
    """The same space of designs, some variables of which have one value.

    Raises:
        ConfigError: a value that no design has.
        UnknownNameError: no variable has a name.

    Example:
        >>> import torch
        >>> from invcore import Uniform, Variable
        >>> space = Space.of(*(Variable(name=n, prior=Uniform(low=0.0, high=9.0)) for n in "ab"))
        >>> fixed_space(space, {"b": 2.0}).project(torch.tensor([[1.0, 5.0]])).tolist()
        [[1.0, 2.0]]
    """
    constraints = []
    for name, value in fixed.items():
        if name not in designs.names:
            raise UnknownNameError(f"no design {name!r}. {close_names(name, designs.names)}")
        if not math.isfinite(value):
            raise ConfigError(f"{name}: expected a finite number, got {value}")
        constraints.append(Fixed(variable=name, value=float(value)))
    return Space.of(
        *designs.variables, grid=designs.grid, constraints=[*designs.constraints, *constraints]
    )
