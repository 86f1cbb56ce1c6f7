"""The conditional invertible network: a bijection of designs and latents for each response."""

from __future__ import annotations

from functools import partial

import torch
from invcore_invertible import InvertibleNetwork, normal_log_density, without_padding
from torch import Tensor

from invcore.learning import LossBatch, ScaledNetwork, Scaling, enlarged, seeded_network
from invcore.learning import train as train_network
from invcore.plugin import (
    SILENT,
    Candidates,
    Files,
    FitEnvironment,
    InverseMethod,
    InverseModel,
    Pairs,
    Problem,
    Simulator,
    Targets,
)
from invcore_cinn.config import ConditionalINNConfig


class ConditionalINN(InverseMethod[ConditionalINNConfig]):
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
    uses_context = True

    def fit(
        self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment
    ) -> ConditionalINNModel:
        """Maximise the likelihood of the designs given their responses."""
        scaling = Scaling.fit(problem.designs, train)
        build = partial(self._build, scaling)
        network = seeded_network(build, env, "cinn")
        val_pairs = scaling.turned(scaling.pairs(val))

        def loss(batch: LossBatch) -> Tensor:
            x = noisy(batch.x, scaling, network, batch.generator)
            return -log_likelihood(network, x, batch.y).mean() / network.total

        train_network(
            network,
            loss,
            lambda part: -log_likelihood(network, part.x, part.y).mean() / network.total,
            scaling.turned(enlarged(self.config.enlarge, scaling, train, val, env)),
            Pairs(noisy(val_pairs.x, scaling, network, env.generator("cinn", "held")), val_pairs.y),
            self.config.training,
            env,
            label="cinn",
            again=build,
            grid=scaling.designs.grid,
        )
        return ConditionalINNModel(problem, ScaledNetwork(network, scaling))

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> ConditionalINNModel:
        """Rebuild the model from its tensors."""
        scaled = ScaledNetwork.restore(self._build, problem.designs, state)
        return ConditionalINNModel(problem, scaled)

    def _build(self, scaling: Scaling) -> InvertibleNetwork:
        features = scaling.designs.features
        total = features + max(self.config.padding, 1 if features == 1 else 0)
        grid = scaling.designs.grid
        return InvertibleNetwork(self.config.network, total, scaling.conditions, grid)


def noisy(
    x: Tensor, scaling: Scaling, network: InvertibleNetwork, generator: torch.Generator
) -> Tensor:
    """Scaled features (N, F) as the network sees them (N, D): dequantised, normal noise beside."""
    x = scaling.dequantise(x, generator)
    padding = torch.randn(len(x), network.total - x.shape[1], generator=generator)
    return torch.cat([x, padding.to(x.device)], dim=1)


def log_likelihood(network: InvertibleNetwork, x: Tensor, y: Tensor) -> Tensor:
    """Log p(x, padding | y) in nats, of (N, D) given scaled responses (N, Dy): (N,)."""
    z, log_det = network(x, y)
    return normal_log_density(z) + log_det


class ConditionalINNModel(InverseModel):
    """A frozen conditional network: candidates are samples of p(x | y*)."""

    def __init__(self, problem: Problem, scaled: ScaledNetwork[InvertibleNetwork]) -> None:
        self._problem, self._scaled = problem, scaled
        self.point_dim = scaled.network.total

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Latents from the points, designs from the inverse."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        network = self._scaled.network
        return self._scaled.generate(lambda z, y: network.inverse(z, y)[0], targets, points)

    def log_density(self, targets: Targets, designs: Tensor) -> Tensor | None:
        """Log p(x | y*) in nats, in the designs' own units; None where designs have categories.

        A whole number's probability is spread over the interval that is rounded to it. Padding is
        integrated out by 256 draws, which on average says a little less than the truth.
        """
        if any(variable.categories for variable in self._problem.designs.variables):
            return None
        network, scaling = self._scaled.network, self._scaled.scaling
        x, y = (
            scaling.encode(designs).to(self._scaled.device),
            self._scaled.target_features(targets),
        )
        padding = network.total - x.shape[1]
        with torch.no_grad():
            scaled = without_padding(lambda w: log_likelihood(network, w, y), x, padding)
        return scaled.cpu() - scaling.x.scale.double().log().sum()

    def state(self) -> dict[str, Tensor]:
        """The network's weights, and the scaling."""
        return self._scaled.state()
