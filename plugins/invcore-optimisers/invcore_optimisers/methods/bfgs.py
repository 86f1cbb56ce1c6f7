"""The method ``bfgs``."""

from torch import Tensor

from invcore_optimisers.bfgs import minimise_bfgs
from invcore_optimisers.evaluation import Objective
from invcore_optimisers.methods.config import BFGSSearchConfig
from invcore_optimisers.methods.search import GradientSearch
from invcore_optimisers.minimum import Minimum


class BFGS(GradientSearch[BFGSSearchConfig]):
    """BFGS on the simulator, from a start of the prior for each candidate; all in one batch.

    References:
        Nocedal, Wright, Numerical Optimization, 2nd edition, Springer 2006, chapter 6.

    Example:
        >>> from invcore import RunConfig, run
        >>> settings = {"task": "sine-wave", "method": "bfgs", "targets": 2, "candidates": 4}
        >>> config = RunConfig.resolve(settings, preset="quick")
        >>> run(config).status
        'ok'
    """

    Config = BFGSSearchConfig

    def numbers(self, dim: int) -> int:
        """The inverse Hessian, and two passing arrays of its size."""
        return 3 * dim * dim + super().numbers(dim)

    def minimise(self, objective: Objective, start: Tensor) -> Minimum:
        """Minimise from all starts (N, D)."""
        return minimise_bfgs(objective, start, self.config)
