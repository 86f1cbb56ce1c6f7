"""Variables that constraints tie together: each group can be drawn and projected by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from invcore.spaces.constraints.kinds import (
    AnyOf,
    Cardinality,
    Constraint,
    LinearEquality,
    LinearInequality,
    Nonlinear,
)
from invcore.spaces.constraints.layout import Layout
from invcore.spaces.variable import Variable

_TYING = AnyOf, Cardinality, LinearEquality, LinearInequality, Nonlinear


@dataclass(frozen=True)
class Group:
    """Variables of a space that constraints tie together, and all constraints of them.

    Args:
        columns: (g,), their positions in the space.
        variables: g of them.
        constraints: that name one of them.
        owners: the position of each constraint among the space's.
    """

    columns: Tensor
    variables: tuple[Variable, ...]
    constraints: tuple[Constraint, ...]
    owners: tuple[int, ...]

    @cached_property
    def layout(self) -> Layout:
        """Bounds and constraints of the group alone."""
        return Layout.of(self.variables, self.constraints)

    @cached_property
    def stepped(self) -> Tensor:
        """Which variables have a finite number of values (g,), bool."""
        layout = self.layout
        stepped = layout.whole.clone()
        stepped[list(layout.levels)] = True
        for columns, _ in layout.lists:
            stepped[columns] = True
        return stepped

    @property
    def curved(self) -> tuple[Nonlinear, ...]:
        """The constraints that expressions define."""
        return tuple(c for c in self.constraints if isinstance(c, Nonlinear))

    @property
    def summed(self) -> bool:
        """Whether linear equalities are all that ties the variables."""
        tying = (c for c in self.constraints if isinstance(c, _TYING) and not _limits(c))
        return all(isinstance(c, LinearEquality) for c in tying)


def groups_of(
    variables: Sequence[Variable], constraints: Sequence[Constraint], *, every: bool = False
) -> list[Group]:
    """The groups of a space, in the order of their first variables.

    Variables with limits, levels, turns and lists alone are in none: their nearest values do not
    depend on other variables, save those of one list, which are rows of it.

    Args:
        variables: of the space.
        constraints: that fit them.
        every: make groups of them too.

    Example:
        >>> from invcore.plugin import Uniform
        >>> abcd = [Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "abcd"]
        >>> row = LinearInequality(coefficients={"a": 1.0, "c": -1.0}, high=0.0)
        >>> [group.columns.tolist() for group in groups_of(abcd, [row])]
        [[0, 2]]
    """
    place = {variable.name: i for i, variable in enumerate(variables)}
    label = list(range(len(variables)))
    tied: set[int] = set()
    for constraint in constraints:
        where = [place[name] for name in constraint.names]
        if every or (isinstance(constraint, _TYING) and not _limits(constraint)):
            tied.update(where)
        merged = {label[i] for i in where}
        lowest = min(merged)
        label = [lowest if own in merged else own for own in label]
    groups = []
    for first in sorted({label[i] for i in tied}):
        columns = [i for i, own in enumerate(label) if own == first]
        names = {variables[i].name for i in columns}
        owners = tuple(k for k, c in enumerate(constraints) if names & set(c.names))
        groups.append(
            Group(
                torch.tensor(columns),
                tuple(variables[i] for i in columns),
                tuple(constraints[k] for k in owners),
                owners,
            )
        )
    return groups


def _limits(constraint: Constraint) -> bool:
    """Whether it is an inequality of one variable: a bound."""
    return isinstance(constraint, LinearInequality) and len(constraint.coefficients) == 1
