"""iPage: an invertible network for starts, and its frozen forward direction to localise them."""

from __future__ import annotations

import torch
from invcore_invertible import PaddedNetwork
from torch import Tensor

from invcore.learning import Scaling, substate
from invcore.learning import train as train_network
from invcore.plugin import (
    Candidates,
    ConfigError,
    FitEnvironment,
    InverseMethod,
    InverseModel,
    Pairs,
    Problem,
    Simulator,
    Targets,
    isolated,
)
from invcore.search import Trust, localised_candidates
from invcore_ipage.config import IPageConfig
from invcore_ipage.losses import BidirectionalLoss


class IPage(InverseMethod[IPageConfig]):
    """Train x <-> (y, z) both ways; start from inverse(y*, z); localise on the frozen forward.

    References:
        Zhang et al., AAAI 2023, https://arxiv.org/abs/2212.01016.

    Example:
        >>> import invcore_solve
        >>> x = [[i / 59] for i in range(60)]
        >>> y = [[2.0 * row[0]] for row in x]
        >>> designer = invcore_solve.fit(x, y, method="ipage", preset="quick")
        >>> designer.propose([[1.5]], candidates=4).designs.shape[1]
        1
    """

    Config = IPageConfig
    uses_context = True

    def fit(self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment) -> IPageModel:
        """Train the network; the checkpoint with the smallest validation L_y is kept.

        Raises:
            ConfigError: latents of known designs, where what is known of each problem differs.
        """
        if self.config.latents == "known" and train.context:
            raise ConfigError("latents: known designs are answers to other problems; use 'normal'")
        scaling = Scaling.fit(problem.designs, train)
        with isolated(env.derive("ipage", "weights")):
            network = _build(self.config, scaling).to(env.device)
        pairs, held = scaling.pairs(train), scaling.pairs(val)
        loss = BidirectionalLoss(self.config.losses, network, scaling, pairs.to(env.device))
        train_network(
            network,
            loss,
            lambda part: (network.predict(part.x) - part.y).square().mean(),
            pairs,
            held,
            self.config.training,
            env,
            label="ipage",
            again=lambda: _build(self.config, scaling),
            grid=scaling.designs.grid,
        )
        network.eval().requires_grad_(False)
        known, draw = pairs.to(env.device), env.generator("trust")
        trust = Trust.fit(network.predict, known, draw)
        return IPageModel(problem, network, scaling, trust, self.config)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> IPageModel:
        """Rebuild the model from its tensors."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        weights = substate(state, "network.")
        with isolated(0):
            network = _build(self.config, scaling)
        network.load_state_dict(weights)
        network.to(next(iter(weights.values())).device)
        network.eval().requires_grad_(False)
        trust = Trust.restore(substate(state, "trust."))
        return IPageModel(problem, network, scaling, trust, self.config)


class IPageModel(InverseModel):
    """A frozen invertible network."""

    ranked = True

    def __init__(
        self,
        problem: Problem,
        network: PaddedNetwork,
        scaling: Scaling,
        trust: Trust,
        config: IPageConfig,
    ) -> None:
        self._problem, self._network = problem, network
        self._scaling, self._trust, self._config = scaling, trust, config
        images = scaling.designs.grid is not None and not scaling.columns
        self._from_known = config.latents == "known" or (config.latents == "auto" and images)
        # Known designs are in a row, of which a point picks one
        self.point_dim = 1 if self._from_known else network.latent

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None
    ) -> Candidates:
        """Latents from the points, starts from the inverse, localised and sorted by error."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        config, network = self._config.localisation, self._network
        device = next(network.parameters()).device
        wanted, points = self._scaling.y(targets.y.double()).float().to(device), points.to(device)
        anchors = self._trust.anchors(wanted, points, config.nearest) if self._from_known else None
        with torch.no_grad():
            if anchors is None:
                z, aims = torch.special.ndtri(points.double()).float(), wanted[:, None]
            else:
                z = network.split(network(network.pad(self._trust.features)))[1][anchors.rows]
                aims = wanted[:, None] - anchors.lacking
            aims = aims.expand(-1, points.shape[1], -1)
            known = self._scaling.known(targets.context, len(targets)).to(device)
            known = known.repeat_interleave(points.shape[1], dim=0)
            starts = network.starts(aims.flatten(0, 1), z.flatten(0, 1), known)
            starts = torch.cat([starts, known], dim=1)
        return localised_candidates(
            network.predict,
            starts.unflatten(0, points.shape[:2]),
            wanted,
            self._scaling,
            config,
            self._trust,
            anchors=anchors,
        )

    def state(self) -> dict[str, Tensor]:
        """The network's weights, the scaling, and the trust in the forward direction."""
        weights = {f"network.{k}": v.contiguous() for k, v in self._network.state_dict().items()}
        scaling = {f"scaling.{k}": v for k, v in self._scaling.state().items()}
        return weights | scaling | {f"trust.{k}": v for k, v in self._trust.state().items()}


def _build(config: IPageConfig, scaling: Scaling) -> PaddedNetwork:
    sizes = scaling.designs.features, len(scaling.y.centre)
    return PaddedNetwork(config.network, *sizes, grid=scaling.designs.grid, known=scaling.columns)
