"""The conditional variational auto-encoder: a decoder from latents and responses to designs."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import Scaling, Surrogate, enlarge, fit_surrogate, substate
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
from invcore_cvae.config import ConditionalVAEConfig
from invcore_cvae.losses import VariationalLoss
from invcore_cvae.network import EncoderDecoder

_ROWS = 32768  # candidates that go through the decoder at once


class ConditionalVAE(InverseMethod[ConditionalVAEConfig]):
    """Train an encoder q(z | x, y) and a decoder x(z, y); propose x(z, y*) for normal z.

    References:
        Sohn, Lee, Yan, NeurIPS 2015, Learning structured output representation using deep
        conditional generative models; Ren, Padilla, Malof, NeurIPS 2020,
        https://arxiv.org/abs/2009.12919.

    Example:
        >>> import invcore_solve
        >>> x = [[i / 59] for i in range(60)]
        >>> y = [[2.0 * row[0]] for row in x]
        >>> designer = invcore_solve.fit(x, y, method="cvae", preset="quick")
        >>> designer.propose([[1.5]], candidates=4).designs.shape[1]
        1
    """

    Config = ConditionalVAEConfig
    uses_context = True

    def fit(
        self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment
    ) -> ConditionalVAEModel:
        """Maximise the bound on the likelihood; the best checkpoint on validation is kept."""
        config, scaling = self.config, Scaling.fit(problem.designs, train)
        held, known = scaling.pairs(val), scaling.pairs(train)
        surrogate: Surrogate | None = None
        more = config.enlarge
        if more.times or config.consistency:
            surrogate, _ = fit_surrogate(more.surrogate, scaling, train, val, env)
        if more.times and surrogate is not None:
            count, draws = more.times * len(known), env.generator("enlarge")
            known = enlarge(surrogate, known, count, draws, spread=more.spread)

        with isolated(env.derive("cvae", "weights")):
            network = self._build(scaling).to(env.device)
        checked = surrogate if config.consistency else None
        known, held = scaling.turned(known), scaling.turned(held)
        loss = VariationalLoss(network, config.kl, config.consistency, checked)
        shape = (2, len(held), network.latent)
        noise = torch.randn(shape, generator=env.generator("cvae", "held")).to(env.device)
        train_network(
            network,
            loss,
            lambda part: loss.held_out(part, noise),
            known,
            held,
            config.training,
            env,
            label="cvae",
            again=lambda: self._build(scaling),
            grid=scaling.designs.grid,
        )
        return ConditionalVAEModel(problem, network.eval().requires_grad_(False), scaling)

    def _build(self, scaling: Scaling) -> EncoderDecoder:
        sizes = scaling.designs.features, len(scaling.y.centre), scaling.columns
        return EncoderDecoder(self.config.network, *sizes)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> ConditionalVAEModel:
        """Rebuild the model from its tensors."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        weights = substate(state, "network.")
        with isolated(0):
            network = self._build(scaling)
        network.load_state_dict(weights)
        network.to(next(iter(weights.values())).device)
        return ConditionalVAEModel(problem, network.eval().requires_grad_(False), scaling)


class ConditionalVAEModel(InverseModel):
    """A frozen decoder, and the encoder that it was trained with."""

    def __init__(self, problem: Problem, network: EncoderDecoder, scaling: Scaling) -> None:
        self._problem, self._network, self._scaling = problem, network, scaling
        self.point_dim = network.latent

    @torch.no_grad()
    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None
    ) -> Candidates:
        """Latents from the points, designs from the decoder."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        device = next(self._network.parameters()).device
        z = torch.special.ndtri(points.double()).float().flatten(0, 1).to(device)
        wanted = self._scaling.wanted(targets.y, targets.context).to(device)
        wanted = wanted.repeat_interleave(points.shape[1], dim=0)
        parts = zip(z.split(_ROWS), wanted.split(_ROWS), strict=True)
        x = torch.cat([self._network.decode(part, y) for part, y in parts])
        return Candidates(self._scaling.decode(x.cpu()).unflatten(0, points.shape[:2]))

    def state(self) -> dict[str, Tensor]:
        """The weights of encoder and decoder, and the scaling."""
        weights = {f"network.{k}": v for k, v in self._network.state_dict().items()}
        return weights | {f"scaling.{k}": v for k, v in self._scaling.state().items()}
