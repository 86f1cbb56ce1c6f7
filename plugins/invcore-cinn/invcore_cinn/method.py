"""The conditional invertible network: a bijection of designs and latents for each response."""

from __future__ import annotations

import torch
from invcore_invertible import InvertibleNetwork, normal_log_density, without_padding
from torch import Tensor

from invcore.learning import LossBatch, Scaling, enlarged, substate, train
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
from invcore_cinn.config import ConditionalINNConfig

_ROWS = 32768  # candidates that go through the network at once


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
        with isolated(env.derive("cinn", "weights")):
            network = self._build(scaling).to(env.device)
        pairs = scaling.turned(enlarged(self.config.enlarge, scaling, train, val, env))
        held = scaling.turned(scaling.pairs(val))
        held = Pairs(noisy(held.x, scaling, network, env.generator("cinn", "held")), held.y)
        self._train(network, scaling, pairs, held, env)
        return ConditionalINNModel(problem, network.eval().requires_grad_(False), scaling)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> ConditionalINNModel:
        """Rebuild the model from its tensors."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        weights = substate(state, "network.")
        with isolated(0):
            network = self._build(scaling)
        network.load_state_dict(weights)
        network.to(next(iter(weights.values())).device)
        return ConditionalINNModel(problem, network.eval().requires_grad_(False), scaling)

    def _build(self, scaling: Scaling) -> InvertibleNetwork:
        features = scaling.designs.features
        total = features + max(self.config.padding, 1 if features == 1 else 0)
        grid = scaling.designs.grid
        return InvertibleNetwork(self.config.network, total, scaling.conditions, grid)

    def _train(
        self,
        network: InvertibleNetwork,
        scaling: Scaling,
        pairs: Pairs,
        held: Pairs,
        env: FitEnvironment,
    ) -> None:
        def loss(batch: LossBatch) -> Tensor:
            x = noisy(batch.x, scaling, network, batch.generator)
            return -log_likelihood(network, x, batch.y).mean() / network.total

        train(
            network,
            loss,
            lambda part: -log_likelihood(network, part.x, part.y).mean() / network.total,
            pairs,
            held,
            self.config.training,
            env,
            label="cinn",
            again=lambda: self._build(scaling),
            grid=scaling.designs.grid,
        )


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

    def __init__(self, problem: Problem, network: InvertibleNetwork, scaling: Scaling) -> None:
        self._problem, self._network, self._scaling = problem, network, scaling
        self.point_dim = network.total

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None
    ) -> Candidates:
        """Latents from the points, designs from the inverse."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        z = torch.special.ndtri(points.double()).float().flatten(0, 1).to(self._device)
        wanted = self._wanted(targets).repeat_interleave(points.shape[1], dim=0)
        with torch.no_grad():
            parts = zip(z.split(_ROWS), wanted.split(_ROWS), strict=True)
            x = torch.cat([self._network.inverse(part, y)[0] for part, y in parts])
        x = x[:, : self._scaling.designs.features].cpu()
        return Candidates(self._scaling.decode(x).unflatten(0, points.shape[:2]))

    def log_density(self, targets: Targets, designs: Tensor) -> Tensor | None:
        """Log p(x | y*) in nats, in the designs' own units; None where designs have categories.

        A whole number's probability is spread over the interval that is rounded to it. Padding is
        integrated out by 256 draws, which on average says a little less than the truth.
        """
        if any(variable.categories for variable in self._problem.designs.variables):
            return None
        x, y = self._scaling.encode(designs).to(self._device), self._wanted(targets)
        padding = self._network.total - x.shape[1]
        with torch.no_grad():
            scaled = without_padding(lambda w: log_likelihood(self._network, w, y), x, padding)
        return scaled.cpu() - self._scaling.x.scale.double().log().sum()

    def _wanted(self, targets: Targets) -> Tensor:
        return self._scaling.wanted(targets.y, targets.context).to(self._device)

    @property
    def _device(self) -> torch.device:
        return next(self._network.parameters()).device

    def state(self) -> dict[str, Tensor]:
        """The network's weights, and the scaling."""
        weights = {f"network.{k}": v.contiguous() for k, v in self._network.state_dict().items()}
        return weights | {f"scaling.{k}": v for k, v in self._scaling.state().items()}
