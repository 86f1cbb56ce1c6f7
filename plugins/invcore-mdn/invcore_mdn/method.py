"""The mixture density network: p(x | y) as a mixture of Gaussians, by maximum likelihood."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import Scaling, enlarged, substate
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
        known, held = (scaling.turned(scaling.pairs(part)) for part in (train, val))
        count, responses = self.config.network.components, held.y.shape[1]

        def build() -> MixtureNetwork:
            rows = torch.randint(len(known), (count,))  # means begin on designs
            return MixtureNetwork(self.config.network, responses, known.x[rows])

        with isolated(env.derive("mdn", "weights")):
            network = build().to(env.device)

        def loss(x: Tensor, y: Tensor) -> Tensor:
            mixture: Mixture = network(y)
            return -mixture.log_prob(x).mean()

        train_network(
            network,
            lambda batch: loss(batch.x, batch.y),
            lambda part: loss(part.x, part.y),
            scaling.turned(enlarged(self.config.enlarge, scaling, train, val, env)),
            held,
            self.config.training,
            env,
            label="mdn",
            again=build,
            grid=scaling.designs.grid,
        )
        return MixtureDensityModel(problem, network.eval().requires_grad_(False), scaling)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> MixtureDensityModel:
        """Rebuild the model from its tensors."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        weights = substate(state, "network.")
        start = torch.zeros(self.config.network.components, scaling.designs.features)
        with isolated(0):
            network = MixtureNetwork(self.config.network, scaling.conditions, start)
        network.load_state_dict(weights)
        network.to(next(iter(weights.values())).device)
        return MixtureDensityModel(problem, network.eval().requires_grad_(False), scaling)


class MixtureDensityModel(InverseModel):
    """A frozen network from responses to mixtures over designs."""

    def __init__(self, problem: Problem, network: MixtureNetwork, scaling: Scaling) -> None:
        self._problem, self._network, self._scaling = problem, network, scaling
        self.point_dim = 1 + network.features

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None
    ) -> Candidates:
        """Draw from each target's mixture: a component, then its Gaussian."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        mixture = self.mixture(targets)
        x = mixture.sample(points.double().to(mixture.means.device))
        return Candidates(self._scaling.decode(x.cpu()))

    @torch.no_grad()
    def mixture(self, targets: Targets) -> Mixture:
        """The mixtures over scaled features for B targets."""
        device = next(self._network.parameters()).device
        result: Mixture = self._network(self._scaling.wanted(targets.y, targets.context).to(device))
        return result

    def log_density(self, targets: Targets, designs: Tensor) -> Tensor | None:
        """Log p(x | y*) in nats, for designs in their own units.

        The Gaussians reach beyond the box of the training data: there the density is what they
        say, though no candidate is proposed outside.

        Args:
            targets: B of them.
            designs: (B, Dx), one for each target.

        Returns:
            (B,), float64; None where a variable takes whole numbers or categories alone, which
            have no density.
        """
        space = self._scaling.designs
        if bool(space.whole.any()):
            return None
        mixture = self.mixture(targets)
        x = self._scaling.x(space.encode(designs.double())).to(mixture.means.device)
        return mixture.log_prob(x).cpu() - self._scaling.x.scale.double().log().sum()

    def state(self) -> dict[str, Tensor]:
        """The network's weights and the scaling."""
        weights = {f"network.{k}": v for k, v in self._network.state_dict().items()}
        return weights | {f"scaling.{k}": v for k, v in self._scaling.state().items()}
