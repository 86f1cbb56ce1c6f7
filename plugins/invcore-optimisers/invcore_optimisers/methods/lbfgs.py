"""The method ``lbfgs``."""

from torch import Tensor

from invcore_optimisers.evaluation import Objective
from invcore_optimisers.lbfgs import minimise_lbfgs
from invcore_optimisers.methods.config import LBFGSSearchConfig
from invcore_optimisers.methods.search import GradientSearch
from invcore_optimisers.minimum import Minimum


class LBFGS(GradientSearch[LBFGSSearchConfig]):
    """L-BFGS on the simulator, from a start of the prior for each candidate; all in one batch.

    References:
        Liu, Nocedal, Mathematical Programming 45, 1989, https://doi.org/10.1007/BF01589116.

    Example:
        >>> from invcore import RunConfig, run
        >>> settings = {"task": "sine-wave", "method": "lbfgs", "targets": 2, "candidates": 4}
        >>> config = RunConfig.resolve(settings, preset="quick")
        >>> run(config).status
        'ok'
    """

    Config = LBFGSSearchConfig

    def numbers(self, dim: int) -> int:
        """The last steps, and how the gradient changed along them."""
        return 2 * self.config.memory * dim + super().numbers(dim)

    def minimise(self, objective: Objective, start: Tensor) -> Minimum:
        """Minimise from all starts (N, D)."""
        return minimise_lbfgs(objective, start, self.config)
