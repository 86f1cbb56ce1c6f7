"""A counted simulator that remembers, so that a search that runs out of budget loses nothing."""

from typing import Any

import torch
from torch import Tensor

from invcore.plugin import Context, Pairs, Simulator, Space, Targets, Task


class RecordedSimulator(Simulator):
    """A simulator that remembers what it was asked, where it has a budget.

    Args:
        task: whose simulator.
        budget: the most rows; None for no limit, and then nothing is remembered by itself.
        remembers: all the same.
    """

    def __init__(
        self, task: Task[Any], budget: int | None = None, *, remembers: bool = False
    ) -> None:
        super().__init__(task, budget)
        self._remembers = remembers
        self._pairs: list[tuple[Tensor, Tensor]] = []
        self._others: list[tuple[Tensor, Tensor]] = []

    def __call__(
        self, x: Tensor, context: Context | None = None, target: Tensor | None = None
    ) -> Tensor:
        """Simulate designs (N, Dx): responses (N, Dy)."""
        y = super().__call__(x, context, target)
        if self.budget is not None or self._remembers:
            self._pairs.append((x.detach().cpu().double(), y.detach().cpu().double()))
        return y

    def remember(self, pairs: Pairs) -> None:
        """Remember rows that are known otherwise."""
        self._others.append((pairs.x, pairs.y))

    def asked(self) -> tuple[Tensor, Tensor]:
        """Designs (N, Dx) that were asked about and remembered, and their responses (N, Dy)."""
        none = self._task.designs.dim, self._task.responses.dim
        parts = [*self._pairs, *(() if self._pairs else [tuple(torch.empty(0, n) for n in none)])]
        x, y = zip(*parts, strict=True)
        return torch.cat(x), torch.cat(y)

    def pairs(self) -> Pairs:
        """All rows with a response that are known or were asked about."""
        x, y = self._all()
        known = y.isfinite().all(dim=1)
        return Pairs(x[known], y[known])

    def best(self, targets: Targets, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Of designs that are known or were asked about, those whose responses are nearest to each
        target.

        Args:
            targets: B of them.
            count: designs for each target; fewer where fewer different ones have a response.

        Returns:
            Whose targets they are (R,), the designs (R, Dx) and their responses (R, Dy).
        """
        x, y = self._all()
        return best_rows(targets, x, y, count, self._task.designs)

    def _all(self) -> tuple[Tensor, Tensor]:
        x, y = zip(*self._others, *self._pairs, strict=True)
        return torch.cat(x), torch.cat(y)


def best_rows(
    targets: Targets, x: Tensor, y: Tensor, count: int, space: Space
) -> tuple[Tensor, Tensor, Tensor]:
    """Of rows that were simulated, those whose responses are nearest to each target.

    Args:
        targets: B of them.
        x: designs (N, Dx).
        y: their responses (N, Dy).
        count: designs for each target; fewer where fewer different ones have a response.
        space: of designs that are allowed.

    Returns:
        Whose targets they are (R,), the designs (R, Dx) and their responses (R, Dy).
    """
    allowed = space.contains(x) & y.isfinite().all(dim=1)
    rows, first = torch.unique(torch.cat([x, y], 1)[allowed], dim=0), space.dim
    x, y = rows[:, :first], rows[:, first:]
    groups, best = [], []
    for b in range(len(targets)):  # of which there are few
        value = targets[b : b + 1].objective(y[None])[0]
        best.append(value.argsort(stable=True)[:count])
        groups.append(torch.full((len(best[-1]),), b))
    chosen = torch.cat(best)
    return torch.cat(groups), x[chosen], y[chosen]
