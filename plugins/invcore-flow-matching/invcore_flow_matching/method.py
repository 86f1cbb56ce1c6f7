"""Conditional flow matching: velocities that carry noise to the designs of a response."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import LossBatch, ScaledNetwork, Scaling, seeded_network
from invcore.learning import train as train_network
from invcore.plugin import (
    Answers,
    DataError,
    Files,
    FitEnvironment,
    InverseMethod,
    Pairs,
    Problem,
)
from invcore_flow_matching.config import FlowMatchingConfig
from invcore_flow_matching.coordinates import Coordinates
from invcore_flow_matching.flow import hidden_in_part, matching_loss
from invcore_flow_matching.model import FlowMatchingModel
from invcore_flow_matching.network import VelocityNetwork


class FlowMatching(InverseMethod[FlowMatchingConfig]):
    """Train a network to tell the velocities from noise to designs; follow them.

    Responses may be unknown in training pairs, and of a target some may be left open.

    References:
        Lipman et al., ICLR 2023, https://arxiv.org/abs/2210.02747;
        Wildberger et al., NeurIPS 2023, https://arxiv.org/abs/2305.17161.

    Example:
        >>> import invcore_solve
        >>> x = [[i / 59] for i in range(60)]
        >>> y = [[2.0 * row[0]] for row in x]
        >>> designer = invcore_solve.fit(x, y, method="flow-matching", preset="quick")
        >>> designer.propose([[1.5]], candidates=4).designs.shape[1]
        1
    """

    Config = FlowMatchingConfig
    answers = Answers.PARTIAL
    uses_context = True
    uses_partial = True

    def fit(
        self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment
    ) -> FlowMatchingModel:
        """Match velocities; the checkpoint with the smallest error on validation is kept.

        Raises:
            DataError: no pair has a response, among those to train on or to validate with.
        """
        config, power = self.config, self.config.time_power
        train, val = (part[~part.y.isnan().all(dim=1)] for part in (train, val))
        if not len(train) or not len(val):
            raise DataError("no pair, to train on or to validate with, has a response")
        scaling = Scaling.fit(problem.designs, train)
        coordinates = Coordinates.of(config.coordinates, problem.designs, scaling)
        network = seeded_network(lambda: self._build(scaling), env, "flow-matching")
        responses = problem.responses.dim

        def value(x: Tensor, conditions: Tensor, generator: torch.Generator) -> Tensor:
            x = coordinates.forward(scaling.dequantise(x, generator))
            conditions = hidden_in_part(conditions, responses, config.masked, generator)
            return matching_loss(network, x, conditions, power, generator)

        def loss(batch: LossBatch) -> Tensor:
            return value(batch.x, batch.y, batch.generator)

        def val_loss(part: Pairs) -> Tensor:  # with the same draws in every epoch
            return value(part.x, part.y, env.generator("flow-matching", "held"))

        train_network(
            network,
            loss,
            val_loss,
            _with_known(scaling, train),
            _with_known(scaling, val),
            config.training,
            env,
            label="flow-matching",
            again=lambda: self._build(scaling),
            grid=scaling.designs.grid,
        )
        return FlowMatchingModel(problem, ScaledNetwork(network, scaling), coordinates, config)

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> FlowMatchingModel:
        """Rebuild the model from its tensors."""
        scaled = ScaledNetwork.restore(self._build, problem.designs, state)
        coordinates = Coordinates.of(self.config.coordinates, problem.designs, scaled.scaling)
        return FlowMatchingModel(problem, scaled, coordinates, self.config)

    def _build(self, scaling: Scaling) -> VelocityNetwork:
        return VelocityNetwork(
            self.config.network, scaling.designs.features, scaling.conditions,
            len(scaling.y.centre),
        )  # fmt: skip


def _with_known(scaling: Scaling, pairs: Pairs) -> Pairs:
    """Scaled pairs from conditions to features, with what is known of the responses beside them."""
    turned = scaling.turned(scaling.pairs(pairs))
    known = ~turned.y[:, : len(scaling.y.centre)].isnan()
    return Pairs(turned.x, torch.cat([turned.y.nan_to_num(0.0), known.to(turned.y)], dim=1))
