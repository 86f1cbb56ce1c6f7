"""The method ``gradient-descent``."""

from torch import Tensor

from invcore_optimisers.evaluation import Objective
from invcore_optimisers.gradient_descent import minimise_gradient_descent
from invcore_optimisers.methods.config import GradientDescentSearchConfig
from invcore_optimisers.methods.search import GradientSearch
from invcore_optimisers.minimum import Minimum


class GradientDescent(GradientSearch[GradientDescentSearchConfig]):
    """Gradient descent on the simulator, from a start of the prior for each candidate.

    References:
        Nocedal, Wright, Numerical Optimization, 2nd edition, Springer 2006, algorithm 3.1.

    Example:
        >>> from invcore import RunConfig, run
        >>> settings = {"task": "sine-wave", "method": "gradient-descent", "targets": 2}
        >>> config = RunConfig.resolve(settings, preset="quick")
        >>> run(config).status
        'ok'
    """

    Config = GradientDescentSearchConfig

    def minimise(self, objective: Objective, start: Tensor) -> Minimum:
        """Minimise from all starts (N, D)."""
        return minimise_gradient_descent(objective, start, self.config)
