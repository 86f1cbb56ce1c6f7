"""A fitted flow: its candidates and its density."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import ScaledNetwork
from invcore.numerics import in_chunks
from invcore.plugin import (
    SILENT,
    Answers,
    Candidates,
    FitEnvironment,
    InverseModel,
    Problem,
    Simulator,
    Targets,
    UnfitError,
)
from invcore_flow_matching.config import FlowMatchingConfig
from invcore_flow_matching.coordinates import Coordinates
from invcore_flow_matching.flow import designs_of, log_density
from invcore_flow_matching.network import VelocityNetwork

_ROWS = 16384  # candidates that flow at once
_DENSITY_ROWS = 4096  # designs whose density is computed at once: their slopes are kept


class FlowMatchingModel(InverseModel):
    """Frozen velocities: each point is a start, and each start flows to a design."""

    def __init__(
        self, problem: Problem, scaled: ScaledNetwork[VelocityNetwork], coordinates: Coordinates,
        config: FlowMatchingConfig,
    ) -> None:  # fmt: skip
        self._problem, self._scaled = problem, scaled
        self._coordinates, self._config = coordinates, config
        self.answers = Answers.PARTIAL if config.masked else Answers.EXACT
        self.point_dim = scaled.scaling.designs.features

    @torch.no_grad()
    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Carry each point's normal noise to a design.

        Raises:
            UnfitError: a response is wanted inside an interval.
        """
        self.check_sizes(targets, points, self._problem.responses.dim)
        embedded, config = self._embedded(targets), self._config
        z = torch.special.ndtri(points.double()).float().flatten(0, 1)
        owner = torch.arange(len(targets)).repeat_interleave(points.shape[1])

        def designs(z: Tensor, owner: Tensor) -> Tensor:
            own, start = embedded[owner.to(embedded.device)], z.to(embedded.device)
            flow = designs_of(self._scaled.network, start, own, config.steps, config.time_power)
            return self._scaled.scaling.decode(self._coordinates.inverse(flow).cpu())

        x = in_chunks(designs, _ROWS, z, owner)
        return Candidates(x.unflatten(0, points.shape[:2]))

    @torch.no_grad()
    def log_density(self, targets: Targets, designs: Tensor) -> Tensor | None:
        """Log p(x | y*) in nats, for designs in their own units; None where designs have
        categories, or constraints.

        A whole number's probability is spread over the interval that is rounded to it. For many
        columns the divergence, and with it the density, is an estimate.

        Args:
            targets: B of them.
            designs: (B, Dx), one for each target.

        Returns:
            (B,), float64; minus infinity outside the range of a uniform variable.
        """
        scaling, device = self._scaled.scaling, self._scaled.device
        slopes = scaling.log_slopes(designs)
        if slopes is None:
            return None
        features = scaling.encode(designs.double())
        embedded, config = self._embedded(targets), self._config

        def density(x: Tensor, embedded: Tensor) -> Tensor:
            flow = self._coordinates.forward(x.to(device))
            return log_density(
                self._scaled.network, flow, embedded, config.density, config.time_power
            )

        found = in_chunks(density, _DENSITY_ROWS, features, embedded)
        return found.cpu().double() + slopes + self._coordinates.log_slopes(features).cpu()

    def state(self) -> dict[str, Tensor]:
        """The network's weights and the scaling."""
        return self._scaled.state()

    def _embedded(self, targets: Targets) -> Tensor:
        """Targets (B,) as the network sees them: (B, width)."""
        scaling, known = self._scaled.scaling, targets.wanted
        if bool((known & (targets.low != targets.high)).any()):
            raise UnfitError("a response is wanted inside an interval; ask for an exact value")
        y = torch.where(known, targets.low.double(), scaling.y.centre.double().to(known.device))
        conditions = scaling.target_features(y, targets.context)
        whole = torch.cat([conditions, known.to(conditions)], dim=1).to(self._scaled.device)
        return self._scaled.network.embedded(whole)
