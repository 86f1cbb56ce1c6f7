"""Tandem: an inverse network trained through a frozen forward one."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import LossBatch, Scaling, Surrogate, fit_surrogate, substate
from invcore.learning import train as train_network
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
from invcore_tandem.config import TandemConfig
from invcore_tandem.network import InverseNetwork, outside


class Tandem(InverseMethod[TandemConfig]):
    """Train f: x -> y and freeze it, then train g: y -> x so that f(g(y)) is y.

    References:
        Liu, Tan, Khoram, Yu, ACS Photonics 2018, https://arxiv.org/abs/1710.04724;
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919.

    Example:
        >>> import invcore_solve
        >>> x = [[i / 59] for i in range(60)]
        >>> y = [[2.0 * row[0]] for row in x]
        >>> designer = invcore_solve.fit(x, y, method="tandem", preset="quick")
        >>> designer.propose([[1.5]], candidates=4).designs.shape[1]
        1
    """

    Config = TandemConfig
    uses_context = True

    def fit(self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment) -> TandemModel:
        """Train the forward network on pairs, and the inverse one on the pairs' responses."""
        scaling = Scaling.fit(problem.designs, train)
        surrogate, _ = fit_surrogate(self.config.surrogate, scaling, train, val, env)
        with isolated(env.derive("tandem", "weights")):
            network = InverseNetwork(self.config.network, scaling).to(env.device)
        box = scaling.box(env.device)

        def loss(pairs: LossBatch | Pairs) -> Tensor:
            _, known = scaling.parts(pairs.x)
            x = network(torch.cat([pairs.y, known], dim=-1))
            error = (surrogate(torch.cat([x, known], dim=-1)) - pairs.y).square().mean()
            if not self.config.boundary:
                return error
            return error + self.config.weight * outside(x, box).mean()

        train_network(
            network,
            loss,
            loss,
            scaling.pairs(train),
            scaling.pairs(val),
            self.config.training,
            env,
            label="tandem",
            again=lambda: InverseNetwork(self.config.network, scaling),
        )
        network.eval().requires_grad_(False)
        return TandemModel(problem, network, surrogate, self.config)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> TandemModel:
        """Rebuild the model from its tensors."""
        surrogate = Surrogate.restore(
            self.config.surrogate, problem.designs, substate(state, "surrogate.")
        )
        with isolated(0):
            network = InverseNetwork(self.config.network, surrogate.scaling)
        network.load_state_dict(substate(state, "inverse."))
        network.to(surrogate.device).eval().requires_grad_(False)
        return TandemModel(problem, network, surrogate, self.config)


class TandemModel(InverseModel):
    """A frozen inverse network, and the forward one that it was trained through."""

    point_dim = 0

    def __init__(
        self,
        problem: Problem,
        network: InverseNetwork,
        surrogate: Surrogate,
        config: TandemConfig,
    ) -> None:
        self._problem, self._config = problem, config
        self._network, self._surrogate = network, surrogate

    @torch.no_grad()
    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None
    ) -> Candidates:
        """The one design for each target, K times."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        scaling, device = self._surrogate.scaling, self._surrogate.device
        features = self._network(scaling.wanted(targets.y, targets.context).to(device))
        x = scaling.decode(features.cpu(), inside=self._config.boundary)
        copies = x[:, None].repeat(1, points.shape[1], 1)
        y = self._surrogate.predict(x, targets.context)[:, None].repeat(1, points.shape[1], 1)
        return Candidates(copies, y)

    def state(self) -> dict[str, Tensor]:
        """The weights of both networks, and the scaling."""
        weights = {f"inverse.{k}": v for k, v in self._network.state_dict().items()}
        return weights | {f"surrogate.{k}": v for k, v in self._surrogate.state().items()}
