"""The invertible network: a bijection of designs and (responses, latents)."""

from __future__ import annotations

import torch
from invcore_invertible import PaddedNetwork, without_padding
from torch import Tensor

from invcore.learning import LossBatch, Scaling, substate, train
from invcore.plugin import (
    Candidates,
    FitEnvironment,
    InverseMethod,
    InverseModel,
    Pairs,
    Problem,
    Simulator,
    Targets,
    isolated,
)
from invcore_inn.config import INNConfig
from invcore_inn.losses import discrepancy, log_likelihood, padded

_ROWS = 32768  # candidates that go through the network at once


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
        scaling = Scaling.fit(problem.designs, train)
        with isolated(env.derive("inn", "weights")):
            network = self._build(scaling).to(env.device)
        pairs, held = (scaling.turned(scaling.pairs(part)) for part in (train, val))
        held = Pairs(scaling.dequantise(held.x, env.generator("inn", "held")), held.y)
        self._train(network, scaling, pairs, held, env)
        return INNModel(problem, network.eval().requires_grad_(False), scaling, self.config)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> INNModel:
        """Rebuild the model from its tensors."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        weights = substate(state, "network.")
        with isolated(0):
            network = self._build(scaling)
        network.load_state_dict(weights)
        network.to(next(iter(weights.values())).device)
        return INNModel(problem, network.eval().requires_grad_(False), scaling, self.config)

    def _build(self, scaling: Scaling) -> PaddedNetwork:
        sizes = (scaling.designs.features, len(scaling.y.centre))
        known, grid = scaling.columns, scaling.designs.grid
        return PaddedNetwork(self.config.network, *sizes, grid=grid, known=known)

    def _train(
        self,
        network: PaddedNetwork,
        scaling: Scaling,
        pairs: Pairs,
        held: Pairs,
        env: FitEnvironment,
    ) -> None:
        config, seed = self.config, env.derive("inn", "noise")

        def objective(batch: LossBatch) -> Tensor:
            if config.objective == "discrepancy":
                return discrepancy(network, batch, config.discrepancy, config.noise)
            whole = padded(network, batch.x, config.noise, batch.generator)
            likelihood = log_likelihood(network, whole, batch.y, config.likelihood)
            return -likelihood.mean() / network.total

        def loss(batch: LossBatch) -> Tensor:
            x = scaling.dequantise(batch.x, batch.generator)
            return objective(LossBatch(x, batch.y, batch.done, batch.generator))

        def val_loss(part: Pairs) -> Tensor:  # the same noise each time, so that epochs compare
            generator = torch.Generator().manual_seed(seed)
            return objective(LossBatch(part.x, part.y, 1.0, generator))

        train(
            network, loss, val_loss, pairs, held, config.training, env,
            label="inn", again=lambda: self._build(scaling),
            grid=scaling.designs.grid,
        )  # fmt: skip


class INNModel(InverseModel):
    """A frozen invertible network."""

    def __init__(
        self, problem: Problem, network: PaddedNetwork, scaling: Scaling, config: INNConfig
    ) -> None:
        self._problem, self._network = problem, network
        self._scaling, self._config = scaling, config
        self.point_dim = network.latent

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None
    ) -> Candidates:
        """Latents from the points, designs from the inverse."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        z = torch.special.ndtri(points.double()).float().flatten(0, 1).to(self._device)
        wanted = self._wanted(targets).repeat_interleave(points.shape[1], dim=0)
        with torch.no_grad():
            parts = zip(wanted.split(_ROWS), z.split(_ROWS), strict=True)
            x = torch.cat([self._started(y, part) for y, part in parts]).cpu()
        return Candidates(self._scaling.decode(x).unflatten(0, points.shape[:2]))

    def log_density(self, targets: Targets, designs: Tensor) -> Tensor | None:
        """Log p(x | y*) in nats, in the designs' own units, of a network trained by likelihood.

        None for one trained by discrepancies, and where designs have categories. The noise in the
        padding is integrated out by draws, which on average says a little less than the truth.
        """
        categories = any(variable.categories for variable in self._problem.designs.variables)
        if categories or self._config.objective == "discrepancy" or not self._config.noise:
            return None
        network, config = self._network, self._config
        x, y = self._scaling.encode(designs).to(self._device), self._wanted(targets)
        with torch.no_grad():
            scaled = without_padding(
                lambda whole: log_likelihood(network, whole, y, config.likelihood),
                x,
                network.padding_x,
                scale=config.noise,
            )
        return scaled.cpu() - self._scaling.x.scale.double().log().sum()

    def _started(self, wanted: Tensor, z: Tensor) -> Tensor:
        y, known = wanted[:, : self._network.responses], wanted[:, self._network.responses :]
        return self._network.starts(y, z, known)

    def _wanted(self, targets: Targets) -> Tensor:
        return self._scaling.wanted(targets.y, targets.context).to(self._device)

    @property
    def _device(self) -> torch.device:
        return next(self._network.parameters()).device

    def state(self) -> dict[str, Tensor]:
        """The network's weights, and the scaling."""
        weights = {f"network.{k}": v.contiguous() for k, v in self._network.state_dict().items()}
        return weights | {f"scaling.{k}": v for k, v in self._scaling.state().items()}
