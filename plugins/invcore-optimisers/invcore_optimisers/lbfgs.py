"""L-BFGS for many problems at once."""

import numpy as np
from torch import Tensor

from invcore_optimisers.config import LBFGSConfig
from invcore_optimisers.evaluation import Objective
from invcore_optimisers.linesearch import Array
from invcore_optimisers.minimum import Minimum
from invcore_optimisers.quasi_newton import Curvature, minimise


def minimise_lbfgs(
    objective: Objective, start: Tensor, config: LBFGSConfig | None = None
) -> Minimum:
    """Minimise N independent problems by L-BFGS, all in one batch: BFGS for many variables.

    Each problem keeps its last ``memory`` steps and gradients' changes; the direction comes from
    two loops over them. Memory grows with N D ``memory``.

    References:
        Liu, Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical
        Programming 45, 1989, https://doi.org/10.1007/BF01589116.

    Args:
        objective: values (M,) of points (M, D); its second argument, (M,) long, says whose.
        start: (N, D); its type is that of all work, float64 please.
        config: memory, line search, ends.

    Raises:
        ShapeError: start is not (N, D), or the objective gives other shapes.

    Example:
        >>> import torch
        >>> centre = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
        >>> minimum = minimise_lbfgs(lambda z, rows: (z - centre[rows]).square().sum(1), 0 * centre)
        >>> minimum.converged
        tensor([True, True])
    """
    config = config or LBFGSConfig()
    return minimise(objective, start, config, _Pairs(start, config.memory))


class _Pairs(Curvature):
    """The last steps and changes of the gradient, in a ring for each problem."""

    def __init__(self, start: Tensor, memory: int) -> None:
        count, dim = start.shape
        kind = start.new_empty(0).cpu().numpy().dtype
        self._memory = memory
        # Zeros in places not yet filled have no effect in the two loops
        self._steps: Array = np.zeros((count, memory, dim), dtype=kind)
        self._changes: Array = np.zeros_like(self._steps)
        self._rates: Array = np.zeros((count, memory), dtype=kind)
        self._scale: Array = np.ones(count, dtype=kind)
        self._newest: Array = np.full(count, -1)

    def keep(self, which: Array) -> None:
        self._steps, self._changes = self._steps[which], self._changes[which]
        self._rates, self._scale = self._rates[which], self._scale[which]
        self._newest = self._newest[which]

    def update(self, which: Array, step: Array, change: Array) -> None:
        place = (self._newest[which] + 1) % self._memory
        self._newest[which] = place
        curvature = (step * change).sum(axis=1)
        self._steps[which, place], self._changes[which, place] = step, change
        self._rates[which, place] = 1.0 / curvature
        self._scale[which] = curvature / (change**2).sum(axis=1)

    def direction(self, which: Array, gradient: Array) -> Array:
        order = (self._newest[which][:, None] - np.arange(self._memory)) % self._memory
        each = which[:, None], order  # newest first
        steps, changes, rates = self._steps[each], self._changes[each], self._rates[each]
        left, shares = gradient, []
        for i in range(self._memory):
            share = rates[:, i] * (steps[:, i] * left).sum(axis=1)
            left = left - share[:, None] * changes[:, i]
            shares.append(share)
        product = self._scale[which][:, None] * left
        for i in reversed(range(self._memory)):
            share = rates[:, i] * (changes[:, i] * product).sum(axis=1)
            product = product + (shares[i] - share)[:, None] * steps[:, i]
        return -product

    def first_step(self, gradient: Array, value: Array, old: Array, slope: Array) -> Array:
        return np.where(np.isnan(old), 1.0 / np.sqrt((gradient**2).sum(axis=1)), 1.0)
