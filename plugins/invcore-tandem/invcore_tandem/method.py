"""Tandem: an inverse network trained through a frozen forward one."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from invcore.learning import (
    LossBatch,
    ScaledNetwork,
    Scaling,
    Surrogate,
    fit_surrogate,
    seeded_network,
    substate,
)
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
        build = partial(InverseNetwork, self.config.network, scaling)
        network = seeded_network(build, env, "tandem")
        box = scaling.box(env.device)

        def loss(pairs: LossBatch | Pairs) -> Tensor:
            _, context = scaling.parts(pairs.x)
            x = network(torch.cat([pairs.y, context], dim=-1))
            error = (surrogate(torch.cat([x, context], dim=-1)) - pairs.y).square().mean()
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
            again=build,
        )
        return TandemModel(problem, ScaledNetwork(network, scaling), surrogate, self.config)

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> TandemModel:
        """Rebuild the model from its tensors."""
        surrogate = Surrogate.restore(
            self.config.surrogate, problem.designs, substate(state, "surrogate.")
        )
        build = partial(InverseNetwork, self.config.network)
        inverse = ScaledNetwork.load(build, surrogate.scaling, substate(state, "inverse."))
        return TandemModel(problem, inverse, surrogate, self.config)


class TandemModel(InverseModel):
    """A frozen inverse network, and the forward one that it was trained through."""

    point_dim = 0

    def __init__(
        self,
        problem: Problem,
        inverse: ScaledNetwork[InverseNetwork],
        surrogate: Surrogate,
        config: TandemConfig,
    ) -> None:
        self._problem, self._config = problem, config
        self._inverse, self._surrogate = inverse, surrogate

    @torch.no_grad()
    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """The one design for each target, K times."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        features = self._inverse.network(self._inverse.target_features(targets))
        x = self._inverse.scaling.decode(features.cpu(), inside=self._config.boundary)
        copies = x[:, None].repeat(1, points.shape[1], 1)
        y = self._surrogate.predict(x, targets.context)[:, None].repeat(1, points.shape[1], 1)
        return Candidates(copies, y)

    def gradient(self, designs: Tensor, context: Context | None = None) -> Tensor:
        """Slopes of the forward network."""
        return self._surrogate.gradient(designs, context)

    def state(self) -> dict[str, Tensor]:
        """The weights of both networks, and the scaling."""
        weights = {f"inverse.{k}": v for k, v in self._inverse.network.state_dict().items()}
        return weights | {f"surrogate.{k}": v for k, v in self._surrogate.state().items()}
