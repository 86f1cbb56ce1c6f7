"""A frozen network with its scaling: what models of trained methods keep, store and ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, final

import torch
from torch import Tensor, nn

from invcore.base.seeding import isolated
from invcore.base.types import Context, Forward
from invcore.contracts.candidates import Candidates
from invcore.contracts.problem import Targets
from invcore.data.pairs import rows_of
from invcore.data.scaling import Scaling
from invcore.numerics.chunked import in_chunks
from invcore.numerics.row_jacobian import row_jacobian
from invcore.spaces.space import Space

N = TypeVar("N", bound=nn.Module)
_ROWS = 32768  # candidates that go through a network at once
_SLOPES = 4096  # designs whose slopes are computed at once


@final
@dataclass(frozen=True)
class ScaledNetwork(Generic[N]):
    """A network and the scaling of what it sees. It is frozen: no dropout, no gradients.

    Args:
        network: trained; it is frozen in place.
        scaling: between designs and features, responses and outputs.

    Example:
        >>> from invcore.plugin import Pairs, Uniform, Variable
        >>> space = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        >>> scaling = Scaling.fit(space, Pairs(torch.rand(64, 1), torch.rand(64, 2)))
        >>> def build(scaling: Scaling) -> nn.Linear:
        ...     return nn.Linear(scaling.conditions, scaling.designs.features)
        >>> model = ScaledNetwork(build(scaling), scaling)
        >>> again = ScaledNetwork.restore(build, space, model.state())
        >>> conditions = again.target_features(Targets(torch.rand(5, 2)))
        >>> torch.equal(again.network(conditions), model.network(conditions))
        True
    """

    network: N
    scaling: Scaling

    def __post_init__(self) -> None:
        self.network.eval().requires_grad_(False)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.network.parameters()).device

    def target_features(self, targets: Targets) -> Tensor:
        """Targets and what is known of them, as the network sees them: (B, Dy + C), float32."""
        return self.scaling.target_features(targets.y, targets.context).to(self.device)

    @torch.no_grad()
    def generate(
        self, decode: Callable[[Tensor, Tensor], Tensor], targets: Targets, points: Tensor
    ) -> Candidates:
        """The designs that a generative network makes of normal latents, one for each point.

        Args:
            decode: the network's way from latents (N, L) and conditions (N, Dy + C) to scaled
                features (N, F), in the first columns if there are more.
            targets: B of them.
            points: (B, K, L), in the unit cube; the normal's inverse distribution function makes
                latents of them.
        """
        z = torch.special.ndtri(points.double()).float().flatten(0, 1).to(self.device)
        conditions = self.target_features(targets).repeat_interleave(points.shape[1], dim=0)
        x, _ = self.scaling.parts(in_chunks(decode, _ROWS, z, conditions))
        return Candidates(self.scaling.decode(x.cpu()).unflatten(0, points.shape[:2]))

    def state(self) -> dict[str, Tensor]:
        """Weights and scaling, as flat tensors to store."""
        weights = {f"network.{k}": v.contiguous() for k, v in self.network.state_dict().items()}
        return weights | {f"scaling.{k}": v for k, v in self.scaling.state().items()}

    @classmethod
    def restore(
        cls, build: Callable[[Scaling], N], designs: Space, state: dict[str, Tensor]
    ) -> ScaledNetwork[N]:
        """The network and the scaling that ``state`` came from.

        Args:
            build: makes the network, whose weights are then replaced.
            designs: the space of the problem's designs.
            state: from ``state``; other names in it are left alone.
        """
        scaling = Scaling.restore(designs, substate(state, "scaling."))
        return cls.load(build, scaling, substate(state, "network."))

    @classmethod
    def load(
        cls, build: Callable[[Scaling], N], scaling: Scaling, weights: dict[str, Tensor]
    ) -> ScaledNetwork[N]:
        """The network with these weights, on their device, where the scaling is at hand."""
        with isolated(0):
            network = build(scaling)
        network.load_state_dict(weights)
        return cls(network.to(next(iter(weights.values())).device), scaling)


def design_gradient(
    forward: Forward, scaling: Scaling, x: Tensor, context: Context | None, device: torch.device
) -> Tensor:
    """The slopes of a forward model's responses, in their own units by designs in theirs.

    Args:
        forward: on scaled features and context features, (N, F + C) to (N, Dy).
        scaling: of what it sees and gives.
        x: designs (N, Dx).
        context: what is known of each one's problem, where the training pairs had such.
        device: of the model.

    Returns:
        (N, Dy, Dx), float64, where x is; 0 for categories.

    Example:
        >>> from invcore.plugin import Pairs, Space, Uniform, Variable
        >>> space = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=4.0)))
        >>> x = torch.linspace(0, 4, 9)[:, None]
        >>> scaling = Scaling.fit(space, Pairs(x, 3 * x))
        >>> design_gradient(lambda x: x, scaling, x[:1], None, x.device).round(decimals=4)
        tensor([[[3.]]], dtype=torch.float64)
    """
    parts = []
    for begin in range(0, max(1, len(x)), _SLOPES):
        rows = slice(begin, begin + _SLOPES)
        designs = x[rows].double()
        columns = scaling.context_features(rows_of(context, rows), len(designs)).to(device)

        def responses(designs: Tensor, columns: Tensor = columns) -> Tensor:
            inputs = torch.cat([scaling.encode(designs).to(device), columns], dim=1)
            return scaling.y.inverse(forward(inputs).double())

        parts.append(row_jacobian(responses, designs).to(x.device))
    return torch.cat(parts)


def substate(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, without it.

    Example:
        >>> substate({"a.x": torch.zeros(1), "b.x": torch.ones(1)}, "b.")
        {'x': tensor([1.])}
    """
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
