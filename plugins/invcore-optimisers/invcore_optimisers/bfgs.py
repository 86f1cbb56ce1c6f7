"""BFGS for many problems at once."""

import numpy as np
from torch import Tensor

from invcore_optimisers.config import BFGSConfig
from invcore_optimisers.evaluation import Objective
from invcore_optimisers.linesearch import Array
from invcore_optimisers.minimum import Minimum
from invcore_optimisers.quasi_newton import Curvature, minimise


def minimise_bfgs(objective: Objective, start: Tensor, config: BFGSConfig | None = None) -> Minimum:
    """Minimise N independent problems by BFGS, all in one batch.

    Each problem takes the steps that it would take alone, and those of SciPy's BFGS up to rounding.
    Where SciPy's first line search fails it tries a second one; here the problem takes a lower
    point if the search ended on one, and else is stuck. A value that is not finite is a wall for
    the search, where SciPy may stop. Memory grows with N D².

    References:
        Nocedal, Wright, Numerical Optimization, 2nd edition, Springer 2006, chapter 6.

    Args:
        objective: values (M,) of points (M, D); its second argument, (M,) long, says whose.
        start: (N, D); its type is that of all work, float64 please.
        config: the defaults are SciPy's.

    Raises:
        ShapeError: start is not (N, D), or the objective gives other shapes.

    Example:
        >>> import torch
        >>> centre = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
        >>> minimum = minimise_bfgs(lambda z, rows: (z - centre[rows]).square().sum(1), 0 * centre)
        >>> bool((minimum.x - centre).abs().max() < 1e-6)
        True
    """
    config = config or BFGSConfig()
    return minimise(objective, start, config, _InverseHessian(start, config.scale_first))


class _InverseHessian(Curvature):
    """Inverse Hessians (M, D, D), with the first step of SciPy's BFGS."""

    def __init__(self, start: Tensor, scale_first: bool) -> None:
        count, dim = start.shape
        kind = start.new_empty(0).cpu().numpy().dtype
        self._inverse: Array = np.tile(np.eye(dim, dtype=kind), (count, 1, 1))
        self._fresh = np.full(count, scale_first)

    def keep(self, which: Array) -> None:
        self._inverse, self._fresh = self._inverse[which], self._fresh[which]

    def update(self, which: Array, step: Array, change: Array) -> None:
        inverse = self._inverse[which]
        curvature = (step * change).sum(axis=1)
        fresh = self._fresh[which]
        if fresh.any():
            scale = curvature / (change**2).sum(axis=1)
            inverse *= np.where(fresh, scale, 1.0)[:, None, None]
            self._fresh[which] = False
        # (I - r s y') H (I - r y s') + r s s' is H + p + p', with p = r s (s (1 + r y'w) / 2 - w)'
        # and w = H y
        rate = 1.0 / curvature
        image = np.einsum("mij,mj->mi", inverse, change)
        own = 0.5 + 0.5 * rate * (change * image).sum(axis=1)
        part = (rate[:, None] * step)[:, :, None] * (own[:, None] * step - image)[:, None]
        self._inverse[which] = inverse + part + part.swapaxes(1, 2)

    def direction(self, which: Array, gradient: Array) -> Array:
        return -np.einsum("mij,mj->mi", self._inverse[which], gradient)

    def first_step(self, gradient: Array, value: Array, old: Array, slope: Array) -> Array:
        length = np.sqrt((gradient**2).sum(axis=1))
        before = np.where(np.isnan(old), value + 0.5 * length, old)
        return 2.02 * (value - before) / slope
