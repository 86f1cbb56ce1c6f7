"""The task ``proxy``: a bundle's ensemble in a simulator's place."""

from collections.abc import Mapping

from torch import Tensor

from invcore.plugin import Config, ConfigError, Field, Space, Task
from invcore_proxy.bundle import read_bundle


class ProxyTaskConfig(Config):
    """Which bundle."""

    bundle: str = Field("", description="Folder that `invcore proxy fit` wrote.")


class ProxyTask(Task[ProxyTaskConfig]):
    """A proxy simulator: the mean of an ensemble of networks that learnt from pairs.

    ``--task my-task/`` opens the folder that ``invcore proxy fit`` wrote. Its spaces are the
    bundle's, its gradient is exact, and its weights' checksum is part of a run's identity.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919, the meta-material

    Raises:
        ConfigError: no bundle is said.
        StoreError: it is missing or damaged.
    """

    Config = ProxyTaskConfig
    differentiable = True
    free_calls = True

    designs: Space
    responses: Space

    def __init__(self, config: ProxyTaskConfig | None = None) -> None:
        super().__init__(config)
        if not self.config.bundle:
            raise ConfigError(
                "task 'proxy' needs a bundle, a folder that `invcore proxy fit` writes: name that "
                "folder as the task, my-task/"
            )
        self.bundle = read_bundle(self.config.bundle)
        self.designs, self.responses = self.bundle.designs, self.bundle.responses

    @property
    def fingerprint(self) -> str:
        """Checksum of all that the ensemble is made of."""
        return self.bundle.checksum

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute the ensemble's mean (N, Dy) of designs (N, Dx).

        Raises:
            ShapeError: x has another number of columns.
        """
        return self.bundle.proxy(x)
