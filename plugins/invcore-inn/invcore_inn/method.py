"""The invertible network: a bijection of designs and (responses, latents)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from invcore_invertible import PaddedNetwork
from torch import Tensor

from invcore.learning import LossBatch, ScaledNetwork, Scaling, design_gradient, seeded_network
from invcore.learning import train as train_network
from invcore.plugin import (
    SILENT,
    Candidates,
    Context,
    Files,
    FitEnvironment,
    InverseMethod,
    InverseModel,
    Pairs,
    Problem,
    Simulator,
    Targets,
)
from invcore_inn.config import INNConfig
from invcore_inn.density import log_density
from invcore_inn.losses import discrepancy, log_likelihood, padded


class INN(InverseMethod[INNConfig]):
    """Train x <-> (y, z); propose the inverse of (y*, z) for normal z.

    References:
        Ardizzone et al., ICLR 2019, https://arxiv.org/abs/1808.04730;
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919.

    Example:
        >>> import invcore_solve
        >>> x = [[i / 59] for i in range(60)]
        >>> y = [[2.0 * row[0]] for row in x]
        >>> designer = invcore_solve.fit(x, y, method="inn", preset="quick")
        >>> designer.propose([[1.5]], candidates=4).designs.shape[1]
        1
    """

    Config = INNConfig
    uses_context = True

    def fit(self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment) -> INNModel:
        """Train by the chosen objective; its value on validation pairs chooses the checkpoint."""
        config, scaling = self.config, Scaling.fit(problem.designs, train)
        build, seed = partial(self._build, scaling), env.derive("inn", "noise")
        network = seeded_network(build, env, "inn")
        pairs, val = (scaling.turned(scaling.pairs(part)) for part in (train, val))
        val_pairs = Pairs(scaling.dequantise(val.x, env.generator("inn", "held")), val.y)

        def objective(batch: LossBatch) -> Tensor:
            if config.objective == "discrepancy":
                return discrepancy(network, batch, config.discrepancy, config.noise)
            whole = padded(network, batch.x, config.noise, batch.generator)
            likelihood = log_likelihood(network, whole, batch.y, config.likelihood)
            return -likelihood.mean() / network.total

        def loss(batch: LossBatch) -> Tensor:
            return objective(replace(batch, x=scaling.dequantise(batch.x, batch.generator)))

        def val_loss(part: Pairs) -> Tensor:  # the same noise each time, so that epochs compare
            generator = torch.Generator().manual_seed(seed)
            return objective(LossBatch(part.x, part.y, 1.0, generator))

        train_network(
            network, loss, val_loss, pairs, val_pairs, config.training, env,
            label="inn", again=build, grid=scaling.designs.grid,
        )  # fmt: skip
        return INNModel(problem, ScaledNetwork(network, scaling), config)

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> INNModel:
        """Rebuild the model from its tensors."""
        scaled = ScaledNetwork.restore(self._build, problem.designs, state)
        return INNModel(problem, scaled, self.config)

    def _build(self, scaling: Scaling) -> PaddedNetwork:
        sizes = (scaling.designs.features, len(scaling.y.centre))
        columns, grid = scaling.columns, scaling.designs.grid
        return PaddedNetwork(self.config.network, *sizes, grid=grid, context_columns=columns)


class INNModel(InverseModel):
    """A frozen invertible network."""

    def __init__(
        self, problem: Problem, scaled: ScaledNetwork[PaddedNetwork], config: INNConfig
    ) -> None:
        self._problem, self._scaled, self._config = problem, scaled, config
        self.point_dim = scaled.network.latent

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Latents from the points, designs from the inverse."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        network = self._scaled.network

        def inverse(z: Tensor, condition: Tensor) -> Tensor:
            y, context = condition[:, : network.responses], condition[:, network.responses :]
            return network.starts(y, z, context)

        return self._scaled.generate(inverse, targets, points)

    def log_density(self, targets: Targets, designs: Tensor) -> Tensor | None:
        """Log p(x | y*) in nats, in the designs' own units, of a network trained by likelihood.

        None for one trained by discrepancies, and where designs have categories or
        constraints. The noise in the
        padding is integrated out by draws, which on average says a little less than the truth.
        """
        network, scaling = self._scaled.network, self._scaled.scaling
        slopes = scaling.log_slopes(designs)
        if slopes is None or self._config.objective == "discrepancy" or not self._config.noise:
            return None
        x = scaling.encode(designs).to(self._scaled.device)
        scaled = log_density(network, x, self._scaled.target_features(targets), self._config)
        return scaled + slopes

    def gradient(self, designs: Tensor, context: Context | None = None) -> Tensor:
        """Slopes of the network's forward direction."""
        scaled = self._scaled
        return design_gradient(
            scaled.network.predict, scaled.scaling, designs, context, scaled.device
        )

    def state(self) -> dict[str, Tensor]:
        """The network's weights, and the scaling."""
        return self._scaled.state()
