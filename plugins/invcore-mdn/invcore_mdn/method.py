"""The mixture density network: p(x | y) as a mixture of Gaussians, by maximum likelihood."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import (
    EnlargeConfig,
    LossBatch,
    ScaledNetwork,
    Scaling,
    enlarged,
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
from invcore_mdn.config import MixtureDensityConfig
from invcore_mdn.mixture import Mixture, MixtureNetwork


class MixtureDensity(InverseMethod[MixtureDensityConfig]):
    """Train a network that gives a mixture of Gaussians over designs for a response; draw from it.

    References:
        Bishop, Mixture density networks, 1994, https://publications.aston.ac.uk/id/eprint/373/;
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919.

    Example:
        >>> import invcore_solve
        >>> x = [[i / 59] for i in range(60)]
        >>> y = [[2.0 * row[0]] for row in x]
        >>> designer = invcore_solve.fit(x, y, method="mdn", preset="quick")
        >>> designer.propose([[1.5]], candidates=4).designs.shape[1]
        1
    """

    Config = MixtureDensityConfig
    uses_context = True

    def fit(
        self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment
    ) -> MixtureDensityModel:
        """Maximise the likelihood; the checkpoint with the best one on validation is kept."""
        scaling = Scaling.fit(problem.designs, train)
        train_pairs, val_pairs = (scaling.turned(scaling.pairs(part)) for part in (train, val))
        count, responses = self.config.network.components, val_pairs.y.shape[1]

        def build() -> MixtureNetwork:
            rows = torch.randint(len(train_pairs), (count,))  # means begin on designs
            return MixtureNetwork(self.config.network, responses, train_pairs.x[rows])

        network = seeded_network(build, env, "mdn")

        def loss(part: LossBatch | Pairs) -> Tensor:
            mixture: Mixture = network(part.y)
            return -mixture.log_prob(part.x).mean()

        more, training = self.config.enlarge, self.config.training
        if problem.stochastic:
            more, training = EnlargeConfig(), more.on_known_pairs(training)
        train_network(
            network,
            loss,
            loss,
            scaling.turned(enlarged(more, scaling, train, val, env)),
            val_pairs,
            training,
            env,
            label="mdn",
            again=build,
            grid=scaling.designs.grid,
        )
        return MixtureDensityModel(problem, ScaledNetwork(network, scaling))

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> MixtureDensityModel:
        """Rebuild the model from its tensors."""
        scaled = ScaledNetwork.restore(self._build, problem.designs, state)
        return MixtureDensityModel(problem, scaled)

    def _build(self, scaling: Scaling) -> MixtureNetwork:
        start = torch.zeros(self.config.network.components, scaling.designs.features)
        return MixtureNetwork(self.config.network, scaling.conditions, start)


class MixtureDensityModel(InverseModel):
    """A frozen network from responses to mixtures over designs."""

    def __init__(self, problem: Problem, scaled: ScaledNetwork[MixtureNetwork]) -> None:
        self._problem, self._scaled = problem, scaled
        self.point_dim = 1 + scaled.network.features

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Draw from each target's mixture: a component, then its Gaussian."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        mixture = self.mixture(targets)
        x = mixture.sample(points.double().to(mixture.means.device))
        return Candidates(self._scaled.scaling.decode(x.cpu()))

    @torch.no_grad()
    def mixture(self, targets: Targets) -> Mixture:
        """The mixtures over scaled features for B targets."""
        result: Mixture = self._scaled.network(self._scaled.target_features(targets))
        return result

    def log_density(self, targets: Targets, designs: Tensor) -> Tensor | None:
        """Log p(x | y*) in nats, for designs in their own units.

        The Gaussians reach beyond the box of the training data: there the density is what they
        say, though no candidate is proposed outside.

        Args:
            targets: B of them.
            designs: (B, Dx), one for each target.

        Returns:
            (B,), float64; None where a variable takes whole numbers or categories alone, or where
            there are constraints: then there is no density.
        """
        scaling = self._scaled.scaling
        slopes = scaling.log_slopes(designs)
        if slopes is None or bool(scaling.designs.whole.any()):
            return None
        mixture = self.mixture(targets)
        x = scaling.x(scaling.designs.encode(designs.double())).to(mixture.means.device)
        return mixture.log_prob(x).cpu() + slopes

    def state(self) -> dict[str, Tensor]:
        """The network's weights and the scaling."""
        return self._scaled.state()
