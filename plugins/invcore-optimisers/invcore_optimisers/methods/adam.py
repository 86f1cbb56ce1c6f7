"""The method ``adam``."""

from torch import Tensor

from invcore_optimisers.adam import minimise_adam
from invcore_optimisers.evaluation import Objective
from invcore_optimisers.methods.config import AdamSearchConfig
from invcore_optimisers.methods.search import GradientSearch
from invcore_optimisers.minimum import Minimum


class Adam(GradientSearch[AdamSearchConfig]):
    """Adam on the simulator, from a start of the prior for each candidate; all in one batch.

    References:
        Kingma, Ba, ICLR 2015, https://arxiv.org/abs/1412.6980.

    Example:
        >>> from invcore import RunConfig, run
        >>> settings = {"task": "sine-wave", "method": "adam", "targets": 2, "candidates": 4}
        >>> config = RunConfig.resolve(settings, preset="quick")
        >>> run(config).status
        'ok'
    """

    Config = AdamSearchConfig

    def minimise(self, objective: Objective, start: Tensor) -> Minimum:
        """Minimise from all starts (N, D)."""
        return minimise_adam(objective, start, self.config)
