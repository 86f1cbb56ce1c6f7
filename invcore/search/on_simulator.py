"""What searches on the simulator share: some targets at a time, and the end of a budget."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from invcore.base.errors import BudgetError, ConfigError
from invcore.contracts.candidates import Candidates
from invcore.contracts.problem import Targets
from invcore.contracts.simulation.simulator import Simulator

_NUMBERS = 1 << 25  # that the state of a batch of candidates may hold

Answer = Callable[[Targets, Tensor, Simulator], Candidates]


def search_in_batches(
    name: str, answer: Answer, targets: Targets, points: Tensor, simulator: Simulator | None, *,
    numbers: int,
) -> Candidates:  # fmt: skip
    """The candidates of a search, for some targets at a time, so that memory is bounded.

    Where a budget ends, the answer is the best that was simulated, if the simulator keeps that.

    Args:
        name: of the search, for messages.
        answer: searches for some targets; ``predicted`` are the simulated responses.
        targets: B of them.
        points: (B, K, L), in the unit cube.
        simulator: that was given to ``propose``.
        numbers: that the state of one candidate holds.

    Raises:
        ConfigError: no simulator was given.
        BudgetError: a budget ends, and the simulator keeps no designs.
    """
    if simulator is None:
        raise ConfigError(
            f"{name} searches on the simulator, and none was given: it works on tasks, not on "
            "tables"
        )
    step = max(1, _NUMBERS // max(1, points.shape[1] * numbers))
    parts = []
    for begin in range(0, max(1, len(targets)), step):
        rows = slice(begin, begin + step)
        some, own = targets[rows], simulator.part(rows)
        try:
            parts.append(answer(some, points[rows].double(), own))
        except BudgetError:
            designs = own.best_designs()
            if designs is None:
                raise
            parts.append(_padded(designs, points.shape[1], some.low.shape[1]))
    predicted = [part.predicted for part in parts if part.predicted is not None]
    return Candidates(torch.cat([part.x for part in parts]), torch.cat(predicted))


def _padded(designs: Tensor, count: int, responses: int) -> Candidates:
    """``count`` of the designs (B, …, Dx) of each target, and NaN for those that there are not."""
    x = torch.full((len(designs), count, designs.shape[2]), torch.nan).double()
    x[:, : designs.shape[1]] = designs[:, :count]
    return Candidates(x, torch.full((len(designs), count, responses), torch.nan).double())
