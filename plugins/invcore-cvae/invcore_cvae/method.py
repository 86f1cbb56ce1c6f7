"""The conditional variational auto-encoder: a decoder from latents and responses to designs."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from invcore.learning import (
    ScaledNetwork,
    Scaling,
    Surrogate,
    enlarge,
    fit_surrogate,
    seeded_network,
)
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
from invcore_cvae.config import ConditionalVAEConfig
from invcore_cvae.losses import VariationalLoss
from invcore_cvae.network import EncoderDecoder


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
        val_pairs, train_pairs = scaling.pairs(val), scaling.pairs(train)
        surrogate: Surrogate | None = None
        more, training = config.enlarge, config.training
        if (
            problem.stochastic
        ):  # a surrogate has no noise: neither its pairs nor its errors are good
            training = more.on_known_pairs(training)
        elif more.times or config.consistency:
            surrogate, _ = fit_surrogate(more.surrogate, scaling, train, val, env)
        if more.times and surrogate is not None:
            count, draws = more.times * len(train_pairs), env.generator("enlarge")
            train_pairs = enlarge(surrogate, train_pairs, count, draws, spread=more.spread)

        build = partial(self._build, scaling)
        network = seeded_network(build, env, "cvae")
        checked = surrogate if config.consistency else None
        consistency = 0.0 if checked is None else config.consistency
        train_pairs, val_pairs = scaling.turned(train_pairs), scaling.turned(val_pairs)
        loss = VariationalLoss(network, config.kl, consistency, checked)
        shape = (2, len(val_pairs), network.latent)
        noise = torch.randn(shape, generator=env.generator("cvae", "held")).to(env.device)
        train_network(
            network,
            loss,
            lambda part: loss.held_out(part, noise[:, : len(part)]),  # outliers are left out
            train_pairs,
            val_pairs,
            training,
            env,
            label="cvae",
            again=build,
            grid=scaling.designs.grid,
        )
        return ConditionalVAEModel(problem, ScaledNetwork(network, scaling))

    def _build(self, scaling: Scaling) -> EncoderDecoder:
        sizes = scaling.designs.features, len(scaling.y.centre), scaling.columns
        return EncoderDecoder(self.config.network, *sizes)

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> ConditionalVAEModel:
        """Rebuild the model from its tensors."""
        scaled = ScaledNetwork.restore(self._build, problem.designs, state)
        return ConditionalVAEModel(problem, scaled)


class ConditionalVAEModel(InverseModel):
    """A frozen decoder, and the encoder that it was trained with."""

    def __init__(self, problem: Problem, scaled: ScaledNetwork[EncoderDecoder]) -> None:
        self._problem, self._scaled = problem, scaled
        self.point_dim = scaled.network.latent

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Latents from the points, designs from the decoder."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        return self._scaled.generate(self._scaled.network.decode, targets, points)

    def state(self) -> dict[str, Tensor]:
        """The weights of encoder and decoder, and the scaling."""
        return self._scaled.state()
