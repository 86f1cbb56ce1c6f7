"""A simulator that remembers some of what a search has asked it, for who refines what was found."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from invcore.base.types import Context
from invcore.contracts.simulation.simulator import Simulator
from invcore.data.pairs import Pairs, joined, rows_of

MOST = 20_000
"""Rows that are remembered; of more, a share that is drawn."""


class RememberingSimulator(Simulator):
    """A counted simulator that remembers rows with a response.

    Args:
        generator: draws among rows where there are too many.
        context: what is known of each target's problem.
        parts: as for ``Simulator``.
        settings: as for ``Simulator``.

    Example:
        >>> from invcore.plugin import installed
        >>> task = installed().registry.load("task", "sine-wave")()
        >>> simulator = RememberingSimulator(task, generator=torch.Generator())
        >>> y = simulator(torch.rand(3, 2))
        >>> len(simulator.with_seen(Pairs(torch.rand(2, 2), torch.rand(2, 1))))
        5
    """

    def __init__(
        self, *parts: Any, generator: torch.Generator, context: Context | None = None,
        **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(*parts, **settings)
        self._random, self._context = generator, context
        self._seen: list[Pairs] = []
        self._share = 1.0  # of all rows so far

    def _note(self, x: Tensor, y: Tensor, target: Tensor | None, cost: int) -> None:
        super()._note(x, y, target, cost)
        x, y = x.detach().cpu().double(), y.detach().cpu().double()
        keep = y.isfinite().all(dim=1)
        keep &= torch.rand(len(x), generator=self._random) < self._share
        context = None
        if self._context:
            if target is None:  # of no problem, or of all
                return
            context = rows_of(self._context, target.cpu()[keep])
        self._seen.append(Pairs(x[keep], y[keep], context))
        while sum(map(len, self._seen)) > MOST:
            every = joined(self._seen)
            self._seen = [every[torch.rand(len(every), generator=self._random) < 0.5]]
            self._share /= 2

    def with_seen(self, pairs: Pairs) -> Pairs:
        """Pairs, and below them the rows that are remembered."""
        first = Pairs(pairs.x.cpu().double(), pairs.y.cpu().double(), pairs.context)
        return joined([first, *self._seen])
