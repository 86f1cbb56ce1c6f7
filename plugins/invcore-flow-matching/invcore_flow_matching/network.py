"""The network that tells velocities between noise and designs."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from invcore.learning import MOST_WITH_WAVES, waves_of
from invcore_flow_matching.config import NetworkConfig

_TIMES = (1, 2, 4, 8)  # quarter turns of the time
_NEAR = 1e-3  # times from the design that are told apart in the logarithm


class VelocityNetwork(nn.Module):
    """The velocity, from noise to design, at a point, a time and conditions.

    On the way x_s = (1 - s) x + s z from a design x (s = 0) to noise z (s = 1), the velocity is
    v = x - z. Its best linear guess from x_s is subtracted, and the rest scaled, so that the
    network learns numbers of size one at every time:
    v = (t - s) / q x_s + F / sqrt(q), with t = 1 - s and q = t² + s².

    References:
        Karras, Aittala, Aila, Laine, Elucidating the design space of diffusion-based generative
        models, NeurIPS 2022, https://arxiv.org/abs/2206.00364, section 5;
        Tancik et al., Fourier features let networks learn high frequency functions in low
        dimensional domains, NeurIPS 2020, https://arxiv.org/abs/2006.10739.

    Args:
        config: sizes.
        features: F, columns of a design.
        conditions: Dy + C, scaled responses and context.
        responses: Dy, those of the conditions that may be hidden.
    """

    def __init__(
        self, config: NetworkConfig, features: int, conditions: int, responses: int
    ) -> None:
        super().__init__()
        self.features, self.conditions, self.responses = features, conditions, responses
        self._waves = [
            count if columns <= MOST_WITH_WAVES else 0
            for count, columns in (
                (config.design_waves, features), (config.response_waves, conditions)
            )
        ]  # fmt: skip
        of_design, of_response = (1 + 2 * count for count in self._waves)
        self.of_design = nn.Linear(features * of_design, config.width)
        self.of_time = nn.Linear(2 + 2 * len(_TIMES), config.width, bias=False)
        self.of_conditions = nn.Linear(
            conditions * of_response + responses, config.width, bias=False
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(config.width), nn.SiLU(), nn.Linear(config.width, config.width)
            )
            for _ in range(config.blocks)
        )
        self.last = nn.Sequential(
            nn.LayerNorm(config.width), nn.SiLU(), nn.Linear(config.width, features)
        )
        for weights in self.last[-1].parameters():
            nn.init.zeros_(weights)

    def embedded(self, conditions: Tensor) -> Tensor:
        """Conditions (N, Dy + C + Dy) as the network sees them (N, width), the same at all times.

        The last Dy columns say which responses are known (1) and which are not (0).
        """
        values, known = conditions.split([self.conditions, self.responses], dim=1)
        seen = torch.cat([known, torch.ones_like(values[:, self.responses :])], dim=1)
        waves = waves_of(values, self._waves[1]) * seen.repeat(1, 1 + 2 * self._waves[1])
        result: Tensor = self.of_conditions(torch.cat([waves, known], dim=1))
        return result

    def forward(self, x: Tensor, s: Tensor, embedded: Tensor) -> Tensor:
        """The scaled rest F (N, features).

        Args:
            x: points (N, features).
            s: times (N, 1), or (1, 1) for all.
            embedded: conditions (N, width), from ``embedded``.
        """
        t = 1 - s
        angles = t * (0.5 * math.pi * torch.tensor(_TIMES, device=s.device, dtype=s.dtype))
        time = torch.cat([t, (s + _NEAR).log() / 3, angles.sin(), angles.cos()], dim=1)
        inside = x / spread(s).sqrt()
        hidden = self.of_design(waves_of(inside, self._waves[0])) + self.of_time(time) + embedded
        for block in self.blocks:
            hidden = hidden + block(hidden)
        result: Tensor = self.last(hidden)
        return result

    def velocity(self, x: Tensor, s: Tensor, embedded: Tensor) -> Tensor:
        """The velocity v (N, features), of which the arguments are those of ``forward``."""
        q = spread(s)
        rest: Tensor = self(x, s, embedded)
        return (1 - 2 * s) / q * x + rest / q.sqrt()


def spread(s: Tensor) -> Tensor:
    """The variance q of points at times s, where designs have the variance one."""
    return (1 - s).square() + s.square()
