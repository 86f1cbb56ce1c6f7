"""Local search among neighbours of designs, by a score that is cheap: a surrogate's error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from invcore.search.neighbours import Neighbours
from invcore.spaces.space import Space

Score: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Of designs (M, Dx) that searches (M,), long, have come to: (M,), the smaller the better."""

Polish: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Of designs (M, Dx) of searches (M,): designs (M, Dx) that differ in continuous variables alone,
and their scores (M,)."""

_NUMBERS = 1 << 22  # of designs that are scored at once


@dataclass(frozen=True)
class SearchLimits:
    """How far a search goes.

    Args:
        rounds: most changes of a design.
        pairs: most pairs of changes that are tried where no single one helps; 0 tries none.
        polished: neighbours whose continuous variables are moved in each round.
    """

    rounds: int = 100
    pairs: int = 2000
    polished: int = 3


class Visited:
    """The best different designs that searches have scored.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.x, self.score = torch.empty(0, 0).double(), torch.empty(0).double()

    def add(self, x: Tensor, score: Tensor) -> None:
        """Take designs (M, Dx) with their scores (M,); those without a finite one are left out."""
        good = score.isfinite()
        x, score = x[good], score[good]
        some = score.topk(min(len(score), 4 * self._most), largest=False).indices
        x, score = x[some], score[some]
        if len(self.score):
            x, score = torch.cat([self.x, x]), torch.cat([self.score, score])
        order = score.argsort(stable=True)
        x, score = x[order], score[order]
        group = x.unique(dim=0, return_inverse=True)[1]
        first = torch.full((len(x),), len(x))
        first = first.scatter_reduce(0, group, torch.arange(len(x)), "amin")
        kept = first[first < len(x)].sort().values[: self._most]
        self.x, self.score = x[kept], score[kept]


def discrete_search(
    space: Space, start: Tensor, score: Score, limits: SearchLimits | None = None, *,
    polish: Polish | None = None, visited: Visited | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Change designs to their best neighbours until none is better.

    In each round every design goes to the best of its single changes: another category, level or
    whole number of one variable. Where none is better, pairs of the best single changes are tried.
    All neighbours are allowed designs: what a change violates is repaired, or it is left out.

    Args:
        space: of the designs.
        start: (N, Dx), allowed designs, float64.
        score: what is to be made small; NaN counts as infinite.
        limits: of the search.
        polish: moves continuous variables, where there are some; the most promising neighbours of
            each round are scored with it.
        visited: keeps the best designs that are scored.

    Returns:
        Designs (N, Dx), and their scores (N,), nowhere worse than those of the start.

    Example:
        >>> from invcore.plugin import Integers, Variable
        >>> number = Integers(low=0, high=9)
        >>> space = Space.of(Variable(name="a", prior=number), Variable(name="b", prior=number))
        >>> best, score = discrete_search(
        ...     space, torch.zeros(1, 2).double(), lambda x, rows: (x.prod(dim=1) - 42).abs())
        >>> sorted(best[0].tolist()), score.tolist()
        ([6.0, 7.0], [0.0])
    """
    limits = limits or SearchLimits()
    work = _Search(space, score, limits, polish, visited)
    x = start.double().clone()
    every = torch.arange(len(x))
    best = work.scores(x, every)
    if not work.neighbours:
        return x, best
    active = every
    for _ in range(limits.rounds):
        if not len(active):
            break
        moved, value = work.best_of(x[active], active, best[active])
        better = value < best[active]
        rows = active[better]
        x[rows], best[rows] = moved[better], value[better]
        active = rows
    return x, best


class _Search:
    """One search: neighbours of designs, and their scores."""

    def __init__(
        self, space: Space, score: Score, limits: SearchLimits, polish: Polish | None,
        visited: Visited | None,
    ) -> None:  # fmt: skip
        self.neighbours, self._score, self._limits = Neighbours.of(space), score, limits
        self._polish, self._visited, self._dim = polish, visited, space.dim

    def scores(self, x: Tensor, rows: Tensor) -> Tensor:
        """Scores (M,) of designs (M, Dx)."""
        size = max(1, _NUMBERS // max(1, self._dim))
        parts = [
            self._score(*part) for part in zip(x.split(size), rows.split(size), strict=True)
        ]  # fmt: skip
        value = torch.cat(parts) if parts else torch.empty(0)
        value = value.cpu().double().nan_to_num(nan=torch.inf)
        if self._visited is not None and len(x):
            self._visited.add(x, value)
        return value

    def best_of(self, x: Tensor, rows: Tensor, best: Tensor) -> tuple[Tensor, Tensor]:
        """The best neighbour of each design (M, Dx), and its score (M,)."""
        each = self.neighbours.changes(x[:1]).shape[1]
        size = max(1, _NUMBERS // (max(each, self._limits.pairs) * self._dim))
        parts = zip(x.split(size), rows.split(size), best.split(size), strict=True)
        moved, value = zip(*(self._best_part(*part) for part in parts), strict=True)
        return torch.cat(moved), torch.cat(value)

    def _best_part(self, x: Tensor, rows: Tensor, best: Tensor) -> tuple[Tensor, Tensor]:
        changed = self.neighbours.changes(x)  # (M, S, Dx)
        near, value = self._scored(x, changed, rows)
        moved, least = self._chosen(near, value, rows)
        stuck = (least >= best).nonzero()[:, 0]
        if self._limits.pairs and len(stuck):
            own = self._pairs(x[stuck], changed[stuck], value[stuck])
            near, value = self._scored(x[stuck], own, rows[stuck])
            moved[stuck], least[stuck] = self._chosen(near, value, rows[stuck])
        return moved, least

    def _scored(self, x: Tensor, changed: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Allowed neighbours (M, S, Dx), and their scores (M, S), infinite of what is none."""
        near, good = self.neighbours.allowed(x, changed)
        value = torch.full(good.shape, torch.inf, dtype=torch.float64)
        owner = rows[:, None].expand_as(good)
        value[good] = self.scores(near[good], owner[good])
        return near, value

    def _chosen(self, near: Tensor, value: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The best of neighbours (M, S, Dx) by their scores (M, S); polished where that helps."""
        count = 1 if self._polish is None else min(self._limits.polished, value.shape[1])
        least, place = value.topk(count, dim=1, largest=False)
        chosen = near.gather(1, place[..., None].expand(-1, -1, self._dim))
        if self._polish is None:
            return chosen[:, 0], least[:, 0]
        good = least.isfinite()
        owner = rows[:, None].expand_as(least)[good]
        if len(owner):
            moved, score = self._polish(chosen[good], owner)
            score = score.cpu().double().nan_to_num(nan=torch.inf)
            better = score < least[good]
            chosen[good] = torch.where(better[:, None], moved.to(chosen), chosen[good])
            least[good] = torch.minimum(score, least[good])
            if self._visited is not None:
                self._visited.add(chosen[good], least[good])
        first = least.argmin(dim=1)
        return chosen[torch.arange(len(first)), first], least.gather(1, first[:, None])[:, 0]

    def _pairs(self, x: Tensor, changed: Tensor, value: Tensor) -> Tensor:
        """Pairs (M, P, Dx) of the best single changes (M, S, Dx) of designs (M, Dx)."""
        most = int((2 * self._limits.pairs) ** 0.5)
        few = value.argsort(dim=1, stable=True)[:, :most]
        best = changed.gather(1, few[..., None].expand(-1, -1, self._dim))
        one, other = torch.triu_indices(few.shape[1], few.shape[1], 1)
        # Both changes at once; two of the same variable are the later one alone, and no harm
        shift = torch.where(best != x[:, None], best, torch.nan)
        first = torch.where(shift[:, one].isnan(), x[:, None], shift[:, one])
        return torch.where(shift[:, other].isnan(), first, shift[:, other])
