"""The coordinates of the loop: what it moves designs in, and what its surrogates see."""

from __future__ import annotations

import math

import numpy as np
import torch

from invcore.plugin import Among, Cardinality, Fixed, Levels, Space
from invcore_closed_loop.arrays import Array, Flags, Places

_LISTED = 4096  # designs of a list that are all looked at
_TAIL = 1e-5  # of a prior without a bound, beyond the ends of its coordinate


class Coordinates:
    """Affine maps between designs and coordinates that run from 0 to 1, and features of them.

    A variable runs between its bounds, or between its prior's quantiles of 1e-5 and 1 - 1e-5 where
    it has none; one whose prior is uniform in the logarithm runs in that. A prior's distribution
    function as a coordinate would be flat in its tails, and searches would get stuck there. The
    coordinate of a category is its number, 0, 1, 2, …

    Args:
        space: of the designs.

    Example:
        >>> from invcore.plugin import Uniform, Variable
        >>> own = Coordinates(Space.of(Variable(name="x", prior=Uniform(low=1.0, high=3.0))))
        >>> own.units(np.array([[1.5]])).tolist(), own.values(np.array([[0.25]])).tolist()
        ([[0.25]], [[1.5]])
    """

    def __init__(self, space: Space) -> None:
        self.space, self.dim = space, space.dim
        forms = [feature.form for feature in space.variable_features]
        self.category: Flags = np.array([bool(v.categories) for v in space.variables])
        self.logarithmic: Flags = np.array([form == "logarithm" for form in forms])
        self.circle: Flags = np.array([form == "circle" for form in forms])
        low, high = _ends(space)
        low[self.logarithmic] = np.log(low[self.logarithmic])
        high[self.logarithmic] = np.log(high[self.logarithmic])
        low[self.category], high[self.category] = 0.0, 1.0
        self._low, self._width = low, np.where(high > low, high - low, 1.0)
        whole = space.whole.numpy() & ~self.category
        stepped = {c.variable for c in space.constraints if isinstance(c, Levels | Fixed)}
        listed = {n for c in space.constraints if isinstance(c, Among) for n in c.names}
        held = np.array([name in listed for name in space.names])
        self.moves: Flags = ~self.category & ~held & ~space.fixed.numpy()
        """Which variables a step may move by any amount (D,); whole ones are rounded after it."""
        self.smooth = bool(
            self.moves.all() and not whole.any() and not stepped and not space.constraints
        )
        """Whether all of the box between 0 and 1 is allowed."""
        counted = {n for c in space.constraints if isinstance(c, Cardinality) for n in c.variables}
        self._counted: Flags = np.array([name in counted for name in space.names])
        self.tied = bool(space.tied.any()) or bool(counted)
        """Whether constraints tie variables to each other."""
        self.discrete: Flags = whole | self.category | held
        self.discrete |= np.array([name in stepped for name in space.names])
        self._features()
        self.listed = self._listed(space)
        """All designs (M, D), where they are a list of few; None elsewhere."""

    def _listed(self, space: Space) -> Array | None:
        if len(space.constraints) != 1 or not isinstance(only := space.constraints[0], Among):
            return None
        if len(only.variables) != space.dim or len(only.designs) > _LISTED:
            return None
        order = [only.variables.index(name) for name in space.names]
        rows = np.array(only.designs, dtype=np.float64)[:, order]
        return self.units(rows[space.contains(torch.from_numpy(rows)).numpy()])

    def _features(self) -> None:
        """Where the features of each variable begin, and what a step of it is worth in them."""
        self._tables = [
            None if not v.categories else f.encode(torch.arange(len(v.categories)).double())
            for v, f in zip(self.space.variables, self.space.variable_features, strict=True)
        ]
        widths = [
            table.shape[1] if table is not None else 1 + bool(circle)
            for table, circle in zip(self._tables, self.circle, strict=True)
        ]
        self.owner = np.repeat(np.arange(self.dim), widths)
        """The variable of each feature (F,)."""
        self._first = np.cumsum([0, *widths])
        one = [
            table is None or v.descriptors is None
            for table, v in zip(self._tables, self.space.variables, strict=True)
        ]
        begins = np.ones(len(self.owner), dtype=bool)
        for i, together in enumerate(one):
            if together:
                begins[self._first[i] + 1 : self._first[i + 1]] = False
        self.groups: Places = np.cumsum(begins) - 1
        """(F,): features with one number have one length; those of a category or a circle do."""
        self.plain = bool(
            (self._first[1:] - self._first[:-1] == 1).all() and not self.category.any()
        )

    def movable(self, u: Array, continuous: bool = False) -> Flags:
        """Which variables of designs (N, D) a step may move: where only so many may not be zero,
        those that are zero stay.

        Args:
            u: coordinates.
            continuous: whether those that come in steps stay too.
        """
        moves = self.moves & ~self.discrete if continuous else self.moves
        if not self._counted.any():
            return np.broadcast_to(moves, u.shape)
        return moves & ~(self._counted & (np.abs(self.values(u)) < 1e-12))

    @property
    def width(self) -> Array:
        """How far designs (D,) run along their coordinates; of logarithms their range."""
        ends = self.values(np.stack([np.zeros(self.dim), np.ones(self.dim)]))
        return np.where(self.category, 1.0, ends[1] - ends[0])

    def value_slopes(self, u: Array) -> Array:
        """How designs (N, D) change with their own coordinates."""
        return np.where(self.logarithmic, self.values(u) * self._width, self._width)

    def units(self, x: Array) -> Array:
        """Coordinates (N, D) of designs (N, D)."""
        u = np.array(x, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            u[:, self.logarithmic] = np.log(np.maximum(u[:, self.logarithmic], 1e-300))
        return (u - self._low) / self._width

    def values(self, u: Array) -> Array:
        """Designs (N, D) of coordinates (N, D), as they come."""
        x = self._low + self._width * u
        x[:, self.logarithmic] = np.exp(x[:, self.logarithmic])
        return x

    def allowed(self, u: Array) -> Array:
        """The nearest allowed coordinates (N, D) of others."""
        if self.smooth:
            return np.clip(u, 0.0, 1.0)
        return self.units(self.designs(u))

    def designs(self, u: Array) -> Array:
        """The nearest allowed designs (N, D) to coordinates (N, D)."""
        x = torch.from_numpy(self.values(np.where(self.category, u, np.clip(u, 0.0, 1.0))))
        made: Array = self.space.project(x).numpy()
        return made

    def drawn(self, count: int, generator: torch.Generator) -> Array:
        """Coordinates (count, D) of designs that are drawn from the prior, inside the ends."""
        u = self.units(self.space.sample(count, generator).numpy())
        return np.where(self.category, u, np.clip(u, 0.0, 1.0))

    def spread(self, points: Array) -> Array:
        """Coordinates (N, D) of designs at points (N, D) of the unit cube, by the priors."""
        u = self.units(self.space.from_unit(torch.from_numpy(points)).numpy())
        return np.where(self.category, u, np.clip(u, 0.0, 1.0))

    def features(self, u: Array) -> Array:
        """What surrogates see (N, F): a category one-hot or by its descriptors, an angle on its
        circle, all else as it is.
        """
        if self.plain:
            return u
        out = np.empty((len(u), len(self.owner)))
        for i, table in enumerate(self._tables):
            part = slice(self._first[i], self._first[i + 1])
            if table is not None:
                codes = np.clip(np.rint(u[:, i]), 0, len(table) - 1).astype(int)
                out[:, part] = table.numpy()[codes]
            elif self.circle[i]:
                angle = 2 * math.pi * u[:, i]
                out[:, part] = np.stack([np.cos(angle), np.sin(angle)], 1) / (2 * math.pi)
            else:
                out[:, part.start] = u[:, i]
        return out

    def slopes(self, u: Array, by_feature: Array) -> Array:
        """From slopes (N, R, F) by the features to those (N, R, D) by the coordinates (N, D)."""
        if self.plain:
            return by_feature
        out = np.zeros((*by_feature.shape[:2], self.dim))
        for i, table in enumerate(self._tables):
            first = self._first[i]
            if table is not None:
                continue  # a category is not moved by steps
            if self.circle[i]:
                angle = 2 * math.pi * u[:, None, i]
                out[..., i] = np.cos(angle) * by_feature[..., first + 1]
                out[..., i] -= np.sin(angle) * by_feature[..., first]
            else:
                out[..., i] = by_feature[..., first]
        return out


def _ends(space: Space) -> tuple[Array, Array]:
    """The designs at the ends of the coordinates (D,) each: bounds, or far quantiles."""
    tails = torch.tensor([[_TAIL], [1 - _TAIL]], dtype=torch.float64).expand(2, space.dim)
    far = Space.of(*space.variables).from_unit(tails)  # whatever constraints tie
    low = torch.where(space.low.isfinite(), space.low, far[0])
    high = torch.where(space.high.isfinite(), space.high, far[1])
    return low.numpy().copy(), high.numpy().copy()
