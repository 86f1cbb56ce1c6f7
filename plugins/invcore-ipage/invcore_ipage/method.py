"""iPage: an invertible network for starts, and its frozen forward direction to localise them."""

from __future__ import annotations

from functools import partial

import torch
from invcore_invertible import PaddedNetwork
from torch import Tensor

from invcore.learning import ScaledNetwork, Scaling, design_gradient, seeded_network, substate
from invcore.learning import train as train_network
from invcore.numerics import scattered
from invcore.plugin import (
    SILENT,
    Answers,
    Candidates,
    ConfigError,
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
from invcore.search import Aim, Trust, localised_candidates
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
    answers = Answers.INTERVALS
    uses_context = True

    def fit(self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment) -> IPageModel:
        """Train the network; the checkpoint with the smallest validation L_y is kept.

        Raises:
            ConfigError: latents of known designs, where what is known of each problem differs.
        """
        if self.config.latents == "known" and train.context:
            raise ConfigError("latents: known designs are answers to other problems; use 'normal'")
        scaling = Scaling.fit(problem.designs, train)
        build = partial(self._build, scaling)
        network = seeded_network(build, env, "ipage")
        pairs = scaling.pairs(train)
        train_pairs = pairs.to(env.device)
        train_network(
            network,
            BidirectionalLoss(self.config.losses, network, scaling, train_pairs),
            lambda part: (network.predict(part.x) - part.y).square().mean(),
            pairs,
            scaling.pairs(val),
            self.config.training,
            env,
            label="ipage",
            again=build,
            grid=scaling.designs.grid,
        )
        scaled = ScaledNetwork(network, scaling)
        held = scaling.pairs(val).to(env.device)
        trust = Trust.fit(network.predict, train_pairs, env.generator("trust"), held)
        return IPageModel(problem, scaled, trust, self.config)

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> IPageModel:
        """Rebuild the model from its tensors."""
        scaled = ScaledNetwork.restore(self._build, problem.designs, state)
        trust = Trust.restore(substate(state, "trust."))
        return IPageModel(problem, scaled, trust, self.config)

    def _build(self, scaling: Scaling) -> PaddedNetwork:
        sizes = (scaling.designs.features, len(scaling.y.centre))
        return PaddedNetwork(self.config.network, *sizes, scaling.designs.grid, scaling.columns)


class IPageModel(InverseModel):
    """A frozen invertible network."""

    answers = Answers.INTERVALS
    ranked = True

    def __init__(
        self,
        problem: Problem,
        scaled: ScaledNetwork[PaddedNetwork],
        trust: Trust,
        config: IPageConfig,
    ) -> None:
        self._problem, self._scaled = problem, scaled
        self._trust, self._config, scaling = trust, config, scaled.scaling
        images = scaling.designs.grid is not None and not scaling.columns
        self._from_known = config.latents == "known" or (config.latents == "auto" and images)
        # Known designs are in a row, of which a point picks one
        self.point_dim = 1 if self._from_known else scaled.network.latent

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Latents from the points, starts from the inverse, localised and sorted by error."""
        self.check_sizes(targets, points, self._problem.responses.dim)
        config, device = self._config.localisation, self._scaled.device
        network, scaling = self._scaled.network, self._scaled.scaling
        aim, points = Aim.of(targets, scaling, self._trust.error, device), points.to(device)
        anchors = self._trust.anchors(aim, points, config.nearest) if self._from_known else None
        with torch.no_grad():
            if anchors is None:
                z, aims = torch.special.ndtri(points.double()).float(), self._wanted(aim, points)
            else:
                z = network.split(network(network.pad(self._trust.features)))[1][anchors.rows]
                aims = self._wanted(aim, points) - anchors.lacking
            aims = aims.expand(-1, points.shape[1], -1)
            context = scaling.context_features(targets.context, len(targets)).to(device)
            context = context.repeat_interleave(points.shape[1], dim=0)
            starts = network.starts(aims.flatten(0, 1), z.flatten(0, 1), context)
            starts = torch.cat([starts, context], dim=1)
        return localised_candidates(
            network.predict,
            starts.unflatten(0, points.shape[:2]),
            aim,
            scaling,
            config,
            self._trust,
            anchors=anchors,
        )

    def _wanted(self, aim: Aim, points: Tensor) -> Tensor:
        """What the inverse is asked for: (B, 1 or K, Dy); of intervals the responses of known
        designs that violate them least, one for each point, moved inside.
        """
        if aim.exact:
            return aim.low[:, None]
        place = scattered(points.flatten(0, 1), 1, 2)[0, :, :1].view(*points.shape[:2], 1)
        rows = self._trust.anchors(aim, place, self._config.localisation.nearest).rows
        return self._trust.y[rows].clamp(aim.low[:, None], aim.high[:, None])

    def gradient(self, designs: Tensor, context: Context | None = None) -> Tensor:
        """Slopes of the network's forward direction."""
        scaled = self._scaled
        return design_gradient(
            scaled.network.predict, scaled.scaling, designs, context, scaled.device
        )

    def state(self) -> dict[str, Tensor]:
        """The network's weights, the scaling, and the trust in the forward direction."""
        return self._scaled.state() | {f"trust.{k}": v for k, v in self._trust.state().items()}
