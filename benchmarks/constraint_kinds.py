"""Random sets of linear and discrete constraints, hard ones over-represented, for
`constraint_sets.py`. Whether a set has a point is known from how it was made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from invcore.spaces.constraints.linear_sets.system import LinearSystem

Generator = np.random.Generator
HARDEST = 1e-6  # in scaled units: the least gap between a set and what it must not be


@dataclass
class Draft:
    """A set in scaled units, that has the point `point` unless it is made empty.

    Args:
        generator: of all choices.
        point: (n,), values of the columns, in [0, 1] unless they are whole.
    """

    generator: Generator
    point: list[float]
    rows: list[tuple[dict[int, float], float, float, int]] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    named: int = 0
    feasible: bool = True

    def __post_init__(self) -> None:
        count = len(self.point)
        self.high, self.integer = [1.0] * count, [False] * count
        self.weight = [1.0] * count

    def column(self, value: float, weight: float, high: float = 1.0) -> int:
        """A further column, of whole numbers from 0 to `high`."""
        self.point.append(value)
        self.high.append(high)
        self.integer.append(True)
        self.weight.append(weight)
        return len(self.point) - 1

    def name(self) -> int:
        """The owner of a further constraint."""
        self.named += 1
        return self.named - 1

    def row(
        self, shares: dict[int, float], low: float, high: float, owner: int | None = None
    ) -> None:
        """A further row: low <= shares · x <= high."""
        self.rows.append((shares, low, high, self.name() if owner is None else owner))

    def value(self, shares: dict[int, float]) -> float:
        """What the point makes of a row."""
        return sum(share * self.point[j] for j, share in shares.items())

    def shares(self, most: int | None = None, *, whole: bool = False) -> dict[int, float]:
        """Random coefficients of some of the columns, of unit norm."""
        g, count = self.generator, len(self.point)
        size = int(g.integers(2, max(3, min(count, most or count) + 1)))
        chosen = g.choice(count, size=min(size, count), replace=False)
        values = g.standard_normal(len(chosen)) if g.random() < 0.7 else np.ones(len(chosen))
        if whole:
            values = g.integers(1, 4, len(chosen)).astype(float)
        values = values / np.linalg.norm(values)
        return {int(j): float(v) for j, v in zip(chosen, values, strict=True)}

    def slack(self) -> float:
        """None, or from the least to one."""
        return 0.0 if self.generator.random() < 0.15 else float(10 ** self.generator.uniform(-6, 0))

    def around(self, count: int, most: int | None = None) -> None:
        """Inequalities that the point satisfies."""
        for _ in range(count):
            shares, g = self.shares(most), self.generator
            value, kind = self.value(shares), g.random()
            low = -np.inf if kind < 0.4 else value - self.slack()
            high = np.inf if 0.4 <= kind < 0.8 else value + self.slack()
            self.row(shares, low, high)

    def contradict(self) -> None:
        """Rows of which a mixture has no point, by a gap."""
        g = self.generator
        gap = float(10 ** g.uniform(np.log10(HARDEST), -1))
        kind = g.random()
        if kind < 0.4:
            shares, at = self.shares(), float(g.random())
            self.row(shares, -np.inf, at - gap)
            self.row(shares, at, np.inf)
        elif kind < 0.6 or not self.rows:
            shares = self.shares()
            most = sum(max(s, 0.0) * self.high[j] for j, s in shares.items())
            self.row(shares, most + gap * max(1.0, sum(map(abs, shares.values()))), np.inf)
        else:
            self._mixture(gap)
        self.feasible = False

    def _mixture(self, gap: float) -> None:
        g, limit, size = self.generator, 0.0, 0.0
        total: dict[int, float] = {}
        count = min(len(self.rows), int(g.integers(1, 5)))
        for i in g.choice(len(self.rows), size=count, replace=False):
            shares, low, high, _ = self.rows[int(i)]
            sign = 1.0 if np.isfinite(high) else -1.0
            factor = float(g.uniform(0.2, 1.0))
            limit += factor * (high if sign > 0 else -low)
            size += factor * float(np.linalg.norm(list(shares.values())))
            for j, share in shares.items():
                total[j] = total.get(j, 0.0) + factor * sign * share
        size = max(size, float(np.linalg.norm(list(total.values()))))
        # In the unit of rows, and no more than what whole numbers can be wrong by.
        self.row(total, limit + gap * size, np.inf)

    def system(self) -> LinearSystem:
        """In units of its own: ranges and rows of all sizes, in random order."""
        g, count = self.generator, len(self.point)
        whole, spread = np.array(self.integer), g.choice([0.0, 1.0, 3.0], p=[0.4, 0.3, 0.3])
        unit = np.where(whole, 1.0, 10 ** g.uniform(-spread, spread, count))
        low = np.where(whole, 0.0, g.choice([0.0, 1.0, -0.5, 30.0], count) * unit)
        rows = [self.rows[i] for i in g.permutation(len(self.rows))]
        matrix, ends, owner = np.zeros((len(rows), count)), np.zeros((2, len(rows))), []
        for i, (shares, first, last, whose) in enumerate(rows):
            factor = 10 ** g.uniform(-3, 3) if g.random() < 0.3 else 1.0
            for j, share in shares.items():
                matrix[i, j] = factor * share / unit[j]
            shift = matrix[i] @ low
            ends[:, i] = factor * first + shift, factor * last + shift
            owner.append(whose)
        bounds = self.named + np.arange(2 * count).reshape(2, count)
        faint = np.array(self.weight) < 1
        return LinearSystem.of(
            matrix,
            ends[0],
            ends[1],
            low,
            low + np.array(self.high) * unit,
            integer=whole,
            owner=owner,
            weight=self.weight,
            low_owner=np.where(faint, -1, bounds[0]),
            high_owner=np.where(faint, -1, bounds[1]),
        )


def inside(g: Generator, count: int) -> Draft:
    """A point in the unit cube, with some columns at their ends."""
    point = g.random(count)
    at_end = g.random(count) < g.choice([0.0, 0.0, 0.3])
    return Draft(g, np.where(at_end, np.round(point), point).tolist())


def size(g: Generator, most: int = 30) -> int:
    """A number of columns, small ones more often."""
    return round(2 * (most / 2) ** float(g.random()))


def plain(g: Generator) -> Draft:
    """Inequalities around a point."""
    draft = inside(g, size(g))
    draft.around(int(g.integers(1, 16)))
    return draft


def equalities(g: Generator) -> Draft:
    """Equalities, some of them sums of others, some fixing a column, and inequalities."""
    draft = inside(g, size(g))
    for _ in range(int(g.integers(1, min(len(draft.point), 8) + 1))):
        shares = draft.shares() if g.random() < 0.8 else {int(g.integers(len(draft.point))): 1.0}
        draft.row(shares, draft.value(shares), draft.value(shares))
    for _ in range(int(g.integers(0, 3))):
        total: dict[int, float] = {}
        for i in g.choice(len(draft.rows), size=min(2, len(draft.rows)), replace=False):
            for j, share in draft.rows[int(i)][0].items():
                total[j] = total.get(j, 0.0) + share
        draft.row(total, draft.value(total), draft.value(total))
    draft.around(int(g.integers(0, 6)))
    return draft


def pressed(g: Generator) -> Draft:
    """Sums that keep columns at their bounds."""
    draft = inside(g, size(g))
    for _ in range(int(g.integers(1, 4))):
        chosen = g.choice(len(draft.point), size=min(2, len(draft.point)), replace=False).tolist()
        shares = {}
        for j in chosen:
            draft.point[j] = float(g.integers(2))
            shares[j] = float(g.uniform(0.2, 1.0)) * (1.0 if draft.point[j] else -1.0)
        draft.row(shares, draft.value(shares), np.inf)
        draft.rows = [r for r in draft.rows if r[1] - 1e-12 <= draft.value(r[0]) <= r[2] + 1e-12]
    draft.around(int(g.integers(0, 6)))
    return draft


def single(g: Generator) -> Draft:
    """A single point, by equalities or by inequalities that meet there."""
    draft = inside(g, size(g, 12))
    for _ in range(len(draft.point) + 1):
        shares = draft.shares()
        value = draft.value(shares)
        draft.row(shares, value, value)
    if g.random() < 0.5:
        draft.rows = [
            half
            for shares, low, high, owner in draft.rows
            for half in ((shares, low, np.inf, owner), (shares, -np.inf, high, draft.name()))
        ]
    return draft


def slab(g: Generator) -> Draft:
    """Between two planes that are close to each other."""
    draft = inside(g, size(g))
    for _ in range(int(g.integers(1, 4))):
        shares, thick = draft.shares(), float(10 ** g.uniform(-6, -2))
        low = draft.value(shares) - thick * float(g.random())
        draft.row(shares, low, low + thick)
    draft.around(int(g.integers(0, 4)))
    return draft


def mixture(g: Generator) -> Draft:
    """Parts of a whole, with limits and ratios."""
    count = size(g, 20)
    draft = Draft(g, g.dirichlet(np.ones(count)).tolist())
    draft.row(dict.fromkeys(range(count), 1.0), 1.0, 1.0)
    for _ in range(int(g.integers(0, 4))):
        j = int(g.integers(count))
        draft.row({j: 1.0}, draft.point[j] * float(g.random()), draft.point[j] + draft.slack())
    draft.around(int(g.integers(0, 3)), 3)
    return draft


def order(g: Generator) -> Draft:
    """Columns in order, with gaps or without."""
    count = size(g)
    draft = Draft(g, np.sort(g.random(count)).tolist())
    gaps = g.random() < 0.5
    for j in range(count - 1):
        gap = draft.point[j + 1] - draft.point[j]
        draft.row({j: -1.0, j + 1: 1.0}, gap * float(g.random()) if gaps else 0.0, np.inf)
    return draft


CONTINUOUS: tuple[Callable[[Generator], Draft], ...] = (
    plain,
    equalities,
    pressed,
    single,
    slab,
    mixture,
    order,
)
