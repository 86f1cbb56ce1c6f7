"""The sine-wave task: one number from two, with solution sets that are closed curves."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from invcore.plugin import Config, Modes, Space, Task, Uniform, Variable
from invcore_classic.drawing import draw_error_map
from invcore_classic.sine_modes import sine_modes


def sine_wave(x: Tensor) -> Tensor:
    """Compute sin(3πx1) + cos(3πx2).

    References:
        Ren, Padilla, Malof, NeurIPS 2020 (task D2), https://arxiv.org/abs/2009.12919

    Args:
        x: designs (..., 2), no unit.

    Returns:
        Responses (..., 1) in x's dtype, computed in float64.

    Example:
        >>> sine_wave(torch.tensor([[0.5, 1.0]], dtype=torch.float64))
        tensor([[-2.]], dtype=torch.float64)
    """
    wide = x.to(torch.float64)
    y = torch.sin(3 * torch.pi * wide[..., :1]) + torch.cos(3 * torch.pi * wide[..., 1:])
    return y.to(x.dtype)


class SineWaveConfig(Config):
    """Nothing to choose: the published benchmark fixes everything."""


class SineWave(Task[SineWaveConfig]):
    """Sine-wave: x ~ U[-1, 1]², y = sin(3πx1) + cos(3πx2) ∈ [-2, 2].

    Simulated in float64; the gradient is exact; every design has a response.

    References:
        Ren, Padilla, Malof, NeurIPS 2020 (task D2), https://arxiv.org/abs/2009.12919

    Example:
        >>> SineWave().simulate(torch.zeros(1, 2))
        tensor([[1.]])
    """

    Config = SineWaveConfig
    free_calls = True
    designs = Space.of(
        Variable(name="x1", prior=Uniform(low=-1.0, high=1.0), description="inside the sine"),
        Variable(name="x2", prior=Uniform(low=-1.0, high=1.0), description="inside the cosine"),
    )
    responses = Space.of(Variable(name="y", description="sin(3πx1) + cos(3πx2)"))
    differentiable = True

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute responses (N, 1) of designs (N, 2).

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        return sine_wave(x)

    def modes(self, targets: Tensor, designs: Tensor) -> Modes:
        """The connected pieces of each target's solution set, found exactly: see ``sine_modes``."""
        return sine_modes(targets, designs)

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the error over the box, the curves of solutions, and the candidates (K, 2)."""
        return draw_error_map(axes, self.simulate, target, designs)
