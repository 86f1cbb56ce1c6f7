"""Spaces: what the columns of designs and responses are, and the maps between their forms.

Three forms of a design: *values* (N, Dx), as people read them, categories as 0, 1, 2, …; *unit*
(N, Dx), in the unit cube through the priors; *features* (N, F), what networks see, with
categories one-hot or by their descriptors, periodic variables as cosine and sine, and logarithms of
those whose prior is one of the logarithm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Self, TypeVar

import torch
from pydantic import Field, model_validator
from torch import Tensor

from invcore.base.errors import ConfigError, ShapeError, UnknownNameError, close_names
from invcore.configs.config import Config
from invcore.spaces.constraints import consistency
from invcore.spaces.constraints.kinds import Constraint, Fixed, Periodic
from invcore.spaces.constraints.language import constraint_text, parse_constraint
from invcore.spaces.constraints.layout import Layout
from invcore.spaces.constraints.projection import Projection
from invcore.spaces.constraints.sampling.density import prior_of
from invcore.spaces.constraints.sampling.unit_cube import UnitCube
from invcore.spaces.constraints.violations import Rule, rules_of
from invcore.spaces.coverage import stratification
from invcore.spaces.features import VariableFeatures, features_of
from invcore.spaces.variable import Grid, Variable

_MANY = 1024  # designs that tell how many values a variable has

__all__ = ["Constraint", "Grid", "Space", "Variable"]


class Space(Config):
    """An ordered set of variables: the columns of designs or of responses.

    Example:
        >>> from invcore import Uniform
        >>> space = Space.of(Variable(name="x1", prior=Uniform(low=-1.0, high=1.0)))
        >>> space.from_unit(torch.tensor([[0.75]]))
        tensor([[0.5000]])
    """

    variables: tuple[Variable, ...] = Field(min_length=1)
    grid: Grid | None = None
    constraints: tuple[Constraint, ...] = ()

    @classmethod
    def of(
        cls,
        *variables: Variable,
        grid: Grid | None = None,
        constraints: Sequence[Constraint | str] = (),
    ) -> Self:
        """Make a space from its variables.

        Args:
            variables: in order.
            grid: how they lie, if they are the pixels of an image.
            constraints: between them, as data or as text: ``"x1 + x2 <= 3"``.

        Raises:
            ConfigError: no such space, or no design in it.
        """
        made = tuple(c for given in constraints for c in _made(given, variables))
        return cls.made(variables=variables, grid=grid, constraints=made)

    @classmethod
    def parse(cls, data: Mapping[str, Any], *, where: str = "config") -> Self:
        """Build the space from plain data; constraints may be texts.

        Raises:
            ConfigError: as for every config; a text that makes no constraint.
        """
        given = data.get("constraints", ()) if isinstance(data, Mapping) else ()
        if not isinstance(given, list | tuple) or not any(isinstance(c, str) for c in given):
            return super().parse(data, where=where)
        plain = super().parse({**data, "constraints": []}, where=where)
        try:
            made = [c for text in given for c in _made(text, plain.variables)]
        except UnknownNameError as error:
            raise ConfigError(f"{where}: {error}") from None
        dumped = [c.model_dump(mode="json") if isinstance(c, Config) else c for c in made]
        return super().parse({**data, "constraints": dumped}, where=where)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"two variables have one name among {', '.join(self.names)}")
        if self.grid is not None:
            if self.grid.rows * self.grid.columns != self.dim:
                size = f"{self.grid.rows} x {self.grid.columns}"
                raise ValueError(f"a grid of {size} for {self.dim} variables")
            if any(variable.categories for variable in self.variables):
                raise ValueError("pixels of a grid are numbers: no categories, please")
            if any(isinstance(constraint, Periodic) for constraint in self.constraints):
                raise ValueError("pixels of a grid are numbers: none goes round, please")
        if self.constraints:
            consistency.check(self.variables, self.constraints)
        return self

    @property
    def dim(self) -> int:
        """Number of variables."""
        return len(self.variables)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names, in order."""
        return tuple(variable.name for variable in self.variables)

    def index(self, name: str) -> int:
        """The position of a variable.

        Raises:
            UnknownNameError: no variable has that name.
        """
        if name not in self.names:
            raise UnknownNameError(f"no variable {name!r}. {close_names(name, self.names)}")
        return self.names.index(name)

    @cached_property
    def low(self) -> Tensor:
        """Lower bounds (Dx,), float64, -inf where there is none."""
        if self.constraints:
            return self.layout.low
        return torch.tensor([v.bounds[0] for v in self.variables], dtype=torch.float64)

    @cached_property
    def high(self) -> Tensor:
        """Upper bounds (Dx,), float64, inf where there is none."""
        if self.constraints:
            return self.layout.high
        return torch.tensor([v.bounds[1] for v in self.variables], dtype=torch.float64)

    @cached_property
    def whole(self) -> Tensor:
        """Which variables take whole numbers only (Dx,), bool."""
        return torch.tensor([v.whole for v in self.variables])

    def check(self, values: Tensor, what: str = "designs") -> None:
        """Check the last dimension.

        Raises:
            ShapeError: it is not ``dim``.
        """
        if values.ndim == 0 or values.shape[-1] != self.dim:
            raise ShapeError(
                f"{what}: expected {self.dim} columns ({', '.join(self.names[:6])}"
                f"{', …' if self.dim > 6 else ''}), got shape {tuple(values.shape)}"
            )

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw designs from the prior: (count, Dx), float64.

        With constraints, from the prior given that they hold (``constraints.sampling``): exactly,
        or by random walks. Levels and lists that nothing else ties are the nearest to draws.

        Raises:
            DataError: a variable has no prior; no design was found that satisfies an expression.
        """
        if self.constraints:
            return self.project(self._cube.drawn(count, generator))
        return self.from_unit(torch.rand(count, self.dim, generator=generator, dtype=torch.float64))

    def from_unit(self, unit: Tensor) -> Tensor:
        """Unit cube (…, Dx) to values, by each prior's inverse distribution function.

        Variables that constraints tie go by conditional quantiles of what is allowed, so that even
        points become even designs (``constraints.sampling.transport``).

        Raises:
            DataError: a variable has no prior.
        """
        self.check(unit, "unit points")
        if self.constraints:
            return self.project(self._cube.values(unit))
        columns = [prior_of(v).quantile(unit[..., i]) for i, v in enumerate(self.variables)]
        return self.project(torch.stack(columns, dim=-1))

    def stratification(self, values: Tensor) -> Tensor:
        """How evenly designs (N, Dx) cover each variable (Dx,): see ``coverage.stratification``."""
        self.check(values)
        shares = self._cube.strata(values) if self.constraints else self.to_unit(values.double())
        many = self.sample(_MANY, torch.Generator().manual_seed(0))
        return stratification(values, shares, many)

    @property
    def tied(self) -> Tensor:
        """Which variables constraints tie to others (Dx,), bool."""
        return self._cube.tied if self.constraints else torch.zeros(self.dim, dtype=torch.bool)

    @cached_property
    def _cube(self) -> UnitCube:
        return UnitCube(self.variables, self.constraints, self.layout)

    def to_unit(self, values: Tensor) -> Tensor:
        """Values (…, Dx) to the unit cube; the inverse of ``from_unit`` where that has one."""
        self.check(values)
        columns = [prior_of(v).cdf(values[..., i]) for i, v in enumerate(self.variables)]
        return torch.stack(columns, dim=-1)

    def project(self, values: Tensor) -> Tensor:
        """The nearest allowed values (…, Dx): inside the bounds, whole where they must be, and with
        all constraints satisfied.

        Distances are in units of each variable's range. What is allowed already stays as it is.
        How constraints are met: ``invcore.spaces.constraints.projection``.

        Example:
            >>> from invcore.plugin import Levels, Uniform
            >>> width = Variable(name="width", prior=Uniform(low=0.0, high=9.0))
            >>> space = Space.of(width, constraints=[Levels(variable="width", values=(2.0, 5.0))])
            >>> space.project(torch.tensor([[3.0], [4.0]])).tolist()
            [[2.0], [5.0]]
        """
        self.check(values)
        if self.constraints:
            return self._projection(values)
        return self.rounded(values.clamp(self.low.to(values), self.high.to(values)))

    def rounded(self, values: Tensor) -> Tensor:
        """The values (…, Dx), whole where they must be."""
        return torch.where(self.whole.to(values.device), values.round(), values)

    def contains(self, values: Tensor) -> Tensor:
        """Which designs (…, Dx) are allowed: (…), bool. NaN is not."""
        self.check(values)
        if self.constraints:
            return self.layout.contains(values)
        inside = (values >= self.low.to(values)) & (values <= self.high.to(values))
        whole = ~self.whole.to(values.device) | (values == values.round())
        return (inside & whole).all(dim=-1)

    def violation(self, values: Tensor) -> Tensor:
        """How far designs (…, Dx) violate each of the M constraints, in ranges: (…, M), float64.

        Zero where a constraint holds, up to its rounding or tolerance. Bounds are none of them.
        Autograd can follow.

        Example:
            >>> from invcore.plugin import LinearInequality, Uniform
            >>> a, b = (Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "ab")
            >>> most = LinearInequality(coefficients={"a": 1.0, "b": 1.0}, high=1.0)
            >>> Space.of(a, b, constraints=[most]).violation(torch.tensor([[1.0, 0.5]]))
            tensor([[0.3536]], dtype=torch.float64)
        """
        self.check(values)
        return self._each(values, [rule.violation for rule in self._rules], torch.float64)

    def binding(self, values: Tensor) -> Tensor:
        """Which of the M constraints leave designs (…, Dx) no room on a side: (…, M), bool.

        Sums, fixed values, levels and lists of designs always do.
        """
        self.check(values)
        return self._each(values, [rule.binds for rule in self._rules], torch.bool)

    @staticmethod
    def _each(
        values: Tensor, functions: Sequence[Callable[[Tensor], Tensor]], dtype: torch.dtype
    ) -> Tensor:
        if not functions:
            return torch.zeros((*values.shape[:-1], 0), dtype=dtype, device=values.device)
        return torch.stack([function(values) for function in functions], dim=-1)

    @cached_property
    def constraint_texts(self) -> tuple[str, ...]:
        """The M constraints as text."""
        return tuple(constraint_text(c, self.variables) for c in self.constraints)

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        return rules_of(self.constraints, self.layout.measure)

    def bounded(self, low: Tensor, high: Tensor) -> Space:
        """The same space with bounds cut to [low, high], (Dx,) each.

        A bound that would leave no room (a constant column) is left as it is. So are those of fixed
        and of periodic variables, and those that would leave nothing of a constraint; levels and
        listed designs that are outside the new bounds are gone.
        """
        variables = []
        for i, variable in enumerate(self.variables):
            ends = max(float(low[i]), variable.bounds[0]), min(float(high[i]), variable.bounds[1])
            cut = variable.model_copy(update={"low": ends[0], "high": ends[1]})
            room = cut.bounds[0] < cut.bounds[1] and not variable.categories
            variables.append(cut if room else variable)
        if not self.constraints:
            return Space.of(*variables, grid=self.grid)
        kept, constraints = consistency.kept(self.variables, variables, self.constraints)
        return Space.of(*kept, grid=self.grid, constraints=constraints)

    @cached_property
    def layout(self) -> Layout:
        """Bounds and constraints as tensors."""
        return Layout.of(self.variables, self.constraints)

    @cached_property
    def _projection(self) -> Projection:
        return Projection(self.variables, self.constraints)

    @cached_property
    def fixed(self) -> Tensor:
        """Which variables have one value (Dx,), bool."""
        names = {c.variable for c in self.constraints if isinstance(c, Fixed)}
        return torch.tensor([name in names for name in self.names])

    @cached_property
    def variable_features(self) -> tuple[VariableFeatures, ...]:
        """For each variable, how networks see it."""
        return features_of(self.variables, self.constraints)

    @cached_property
    def feature_columns(self) -> tuple[int, ...]:
        """For each feature, the variable that it belongs to."""
        return tuple(i for i, own in enumerate(self.variable_features) for _ in range(own.width))

    @property
    def features(self) -> int:
        """F, the number of features."""
        return len(self.feature_columns)

    def encode(self, values: Tensor) -> Tensor:
        """Values (…, Dx) to features (…, F): categories become one-hot, or their descriptors,
        periodic variables cosine and sine, and those with a logarithmic prior their logarithm.
        """
        self.check(values)
        every = self.variable_features
        return torch.cat([own.encode(values[..., i]) for i, own in enumerate(every)], dim=-1)

    def decode(self, features: Tensor) -> Tensor:
        """Features (…, F) to values (…, Dx): the largest of a category's features wins, or the
        category with the nearest descriptors.
        """
        every = self.variable_features
        parts = features.split([own.width for own in every], dim=-1)
        return torch.stack([own.decode(part) for own, part in zip(every, parts, strict=True)], -1)


C = TypeVar("C")


def _made(given: C | str, variables: Sequence[Variable]) -> Sequence[C | Constraint]:
    """The constraints that a text says, or the one that was given."""
    return parse_constraint(given, variables) if isinstance(given, str) else [given]
