"""Spaces: what the columns of designs and responses are, and the maps between their forms.

Three forms of a design: *values* (N, Dx), as people read them, categories as 0, 1, 2, …; *unit*
(N, Dx), in the unit cube through the priors; *features* (N, F), what networks see, with
categories one-hot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Self

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor
from torch.nn.functional import one_hot

from invcore.base.errors import DataError, ShapeError, UnknownNameError, close_names
from invcore.configs.config import Config
from invcore.spaces.priors import Categorical, Integers, Poisson, Prior


class Variable(Config):
    """One column: its name, unit, prior and bounds.

    Args:
        name: as in tables and results.
        prior: where designs come from; None for a response.
        unit: for people, for instance ``"m"``; empty where there is none.
        description: one line for people.
        low: a lower bound beside that of the prior's support.
        high: an upper bound beside that of the prior's support.

    Example:
        >>> from invcore import Normal
        >>> Variable(name="speed", prior=Normal(mean=0.0, std=1.0), low=0.0).bounds
        (0.0, inf)
    """

    name: str = Field(min_length=1)
    prior: Prior | None = None
    unit: str = ""
    description: str = ""
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.bounds
        if not low < high:
            raise ValueError(f"variable {self.name!r}: low {low} must be below high {high}")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The prior's support cut by ``low`` and ``high``, to whole numbers where they must be;
        infinite where nothing bounds it.
        """
        low, high = (-math.inf, math.inf) if self.prior is None else self.prior.support
        low = low if self.low is None else max(low, self.low)
        high = high if self.high is None else min(high, self.high)
        return (float(math.ceil(low)), float(math.floor(high))) if self.whole else (low, high)

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories' names; empty unless categorical."""
        return self.prior.categories if isinstance(self.prior, Categorical) else ()

    @property
    def whole(self) -> bool:
        """Whether only whole numbers make sense (counts, integers and categories)."""
        relaxed = isinstance(self.prior, Poisson) and self.prior.relaxed
        return isinstance(self.prior, Poisson | Integers | Categorical) and not relaxed


class Grid(Config):
    """How the variables of an image lie: row by row.

    Args:
        rows: of pixels.
        columns: of pixels.
        periodic: the image repeats, and where it is cut makes no difference: shifting it around
            leaves the response as it is.
        mirrors: so does a mirror image, of the rows or of the columns.
    """

    rows: int = Field(ge=1)
    columns: int = Field(ge=1)
    periodic: bool = False
    mirrors: bool = False


class Constraint(Config):
    """A relation between design variables that every design must satisfy, as data.

    So far there is no kind of constraint that a space honours: one that has any is refused. What
    bounds cannot say, a task says by ``feasible``.

    Args:
        kind: of the relation.
    """

    kind: str = Field(min_length=1)


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
        cls, *variables: Variable, grid: Grid | None = None, constraints: Sequence[Constraint] = ()
    ) -> Self:
        """Make a space from its variables.

        Args:
            variables: in order.
            grid: how they lie, if they are the pixels of an image.
            constraints: between them.
        """
        return cls(variables=variables, grid=grid, constraints=tuple(constraints))

    @field_validator("constraints")
    @classmethod
    def _honoured(cls, constraints: tuple[Constraint, ...]) -> tuple[Constraint, ...]:
        if constraints:
            kinds = ", ".join(sorted({constraint.kind for constraint in constraints}))
            raise ValueError(f"no space honours constraints yet ({kinds}); a task has `feasible`")
        return constraints

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"two variables have one name among {', '.join(self.names)}")
        if self.grid is not None:
            if self.grid.rows * self.grid.columns != self.dim:
                raise ValueError(
                    f"a grid of {self.grid.rows} x {self.grid.columns} for {self.dim} variables"
                )
            if any(variable.categories for variable in self.variables):
                raise ValueError("pixels of a grid are numbers: no categories, please")
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
        return torch.tensor([v.bounds[0] for v in self.variables], dtype=torch.float64)

    @cached_property
    def high(self) -> Tensor:
        """Upper bounds (Dx,), float64, inf where there is none."""
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
        """Draw designs from the prior: (count, Dx), float64."""
        return self.from_unit(torch.rand(count, self.dim, generator=generator, dtype=torch.float64))

    def from_unit(self, unit: Tensor) -> Tensor:
        """Unit cube (…, Dx) to values, by each prior's inverse distribution function.

        Raises:
            DataError: a variable has no prior.
        """
        self.check(unit, "unit points")
        columns = [self._prior(v).quantile(unit[..., i]) for i, v in enumerate(self.variables)]
        return self.project(torch.stack(columns, dim=-1))

    def to_unit(self, values: Tensor) -> Tensor:
        """Values (…, Dx) to the unit cube; the inverse of ``from_unit`` where that has one."""
        self.check(values)
        columns = [self._prior(v).cdf(values[..., i]) for i, v in enumerate(self.variables)]
        return torch.stack(columns, dim=-1)

    def project(self, values: Tensor) -> Tensor:
        """The nearest allowed values: inside the bounds, whole where they must be."""
        self.check(values)
        return self.rounded(values.clamp(self.low.to(values), self.high.to(values)))

    def rounded(self, values: Tensor) -> Tensor:
        """The values (…, Dx), whole where they must be."""
        return torch.where(self.whole.to(values.device), values.round(), values)

    def contains(self, values: Tensor) -> Tensor:
        """Which designs (…, Dx) are allowed: (…), bool. NaN is not."""
        self.check(values)
        inside = (values >= self.low.to(values)) & (values <= self.high.to(values))
        whole = ~self.whole.to(values.device) | (values == values.round())
        return (inside & whole).all(dim=-1)

    def bounded(self, low: Tensor, high: Tensor) -> Space:
        """The same space with bounds cut to [low, high], (Dx,) each.

        A bound that would leave no room (a constant column) is left as it is.
        """
        variables = []
        for i, variable in enumerate(self.variables):
            ends = max(float(low[i]), variable.bounds[0]), min(float(high[i]), variable.bounds[1])
            cut = variable.model_copy(update={"low": ends[0], "high": ends[1]})
            room = cut.bounds[0] < cut.bounds[1] and not variable.categories
            variables.append(cut if room else variable)
        return Space.of(*variables, grid=self.grid, constraints=self.constraints)

    @cached_property
    def feature_columns(self) -> tuple[int, ...]:
        """For each feature, the variable that it belongs to."""
        return tuple(
            i for i, v in enumerate(self.variables) for _ in range(max(1, len(v.categories)))
        )

    @property
    def features(self) -> int:
        """F, the number of features."""
        return len(self.feature_columns)

    def encode(self, values: Tensor) -> Tensor:
        """Values (…, Dx) to features (…, F): categories become one-hot."""
        self.check(values)
        parts = []
        for i, variable in enumerate(self.variables):
            column = values[..., i]
            if variable.categories:
                codes = column.round().long().clamp(0, len(variable.categories) - 1)
                parts.append(one_hot(codes, len(variable.categories)).to(values.dtype))
            else:
                parts.append(column[..., None])
        return torch.cat(parts, dim=-1)

    def decode(self, features: Tensor) -> Tensor:
        """Features (…, F) to values (…, Dx): the largest of a category's features wins."""
        parts, start = [], 0
        for variable in self.variables:
            width = max(1, len(variable.categories))
            part = features[..., start : start + width]
            start += width
            parts.append(part.argmax(-1).to(features.dtype) if width > 1 else part[..., 0])
        return torch.stack(parts, dim=-1)

    @staticmethod
    def _prior(variable: Variable) -> Prior:
        if variable.prior is None:
            raise DataError(f"variable {variable.name!r} has no prior to draw from")
        return variable.prior
