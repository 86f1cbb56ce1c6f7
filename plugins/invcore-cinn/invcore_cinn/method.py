"""The conditional invertible network: a bijection of designs and latents for each response."""

from __future__ import annotations

import torch
from invcore_invertible import InvertibleNetwork, normal_log_density, without_padding
from torch import Tensor

from invcore.learning import GenerativeMethod, GenerativeModel, Scaling, enlarged
from invcore.plugin import FitEnvironment, Pairs, Problem, UnfitError
from invcore_cinn.config import ConditionalINNConfig


class ConditionalINN(GenerativeMethod[ConditionalINNConfig]):
    """Train x <-> z given y by maximum likelihood; propose inverse(z; y*) for normal z.

    References:
        Ardizzone et al., 2019, https://arxiv.org/abs/1907.02392;
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919.

    Example:
        >>> import invcore_solve
        >>> x = [[i / 59] for i in range(60)]
        >>> y = [[2.0 * row[0]] for row in x]
        >>> designer = invcore_solve.fit(x, y, method="cinn", preset="quick")
        >>> designer.propose([[1.5]], candidates=4).designs.shape[1]
        1
    """

    Config = ConditionalINNConfig
    label = "cinn"

    def build(self, scaling: Scaling) -> InvertibleNetwork:
        """A bijection of features with padding."""
        total, grid = self.latents(scaling.designs.features), scaling.designs.grid
        return InvertibleNetwork(self.config.network, total, scaling.conditions, grid)

    def latents(self, features: int) -> int:
        """Features, and the padding beside them: of one feature alone there is no bijection."""
        return features + max(self.config.padding, 1 if features == 1 else 0)

    def fit(
        self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment
    ) -> GenerativeModel:
        """Learn, as other generative methods do.

        Raises:
            UnfitError: the system is stochastic, and more pairs of a surrogate are asked for.
        """
        if problem.stochastic and self.config.enlarge.times:
            raise UnfitError(
                f"{problem.name} is stochastic, and a surrogate's pairs have no noise: leave "
                "enlarge.times at 0"
            )
        return super().fit(problem, train, val, env)

    def training_pairs(
        self, scaling: Scaling, train: Pairs, val: Pairs, env: FitEnvironment
    ) -> Pairs:
        """The pairs, and more of them if the settings say so."""
        return scaling.turned(enlarged(self.config.enlarge, scaling, train, val, env))

    def loss(
        self, network: InvertibleNetwork, x: Tensor, y: Tensor, generator: torch.Generator
    ) -> Tensor:
        """The negative log likelihood of each row, a dimension."""
        padding = torch.randn(len(x), network.total - x.shape[1], generator=generator)
        whole = torch.cat([x, padding.to(x.device)], dim=1)
        return -joint_log_likelihood(network, whole, y) / network.total

    def decode(self, network: InvertibleNetwork, z: Tensor, y: Tensor) -> Tensor:
        """The inverse of normal latents."""
        return network.inverse(z, y)[0]

    @torch.no_grad()
    def log_likelihood(self, network: InvertibleNetwork, x: Tensor, y: Tensor) -> Tensor:
        """Log p(x | y) of features. Padding is integrated out by 256 draws, which on average says
        a little less than the truth.
        """
        padding = network.total - x.shape[1]
        return without_padding(lambda w: joint_log_likelihood(network, w, y), x, padding)


def joint_log_likelihood(network: InvertibleNetwork, whole: Tensor, y: Tensor) -> Tensor:
    """Log p(x, padding | y) in nats, of (N, D) given scaled responses (N, Dy): (N,)."""
    z, log_det = network(whole, y)
    return normal_log_density(z) + log_det
