"""Several networks of one architecture as one batch."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from invcore_jpo.config import NetworkConfig


class Networks(nn.Module):
    """G multi-layer perceptrons, each with weights of its own, computed as one.

    Wrap it in ``invcore.plugin.isolated`` to seed the weights.

    Args:
        config: sizes.
        count: G.
        inputs: of each.
        outputs: of each.

    Example:
        >>> Networks(NetworkConfig(width=8), 3, 5, 2)(torch.zeros(3, 7, 5)).shape
        torch.Size([3, 7, 2])
    """

    def __init__(self, config: NetworkConfig, count: int, inputs: int, outputs: int) -> None:
        super().__init__()
        sizes = [inputs, *[config.width] * config.depth, outputs]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for before, after in pairwise(sizes):
            bound = 1.0 / math.sqrt(before)  # as nn.Linear begins
            self.weights.append(nn.Parameter(bound * (2 * torch.rand(count, before, after) - 1)))
            self.biases.append(nn.Parameter(bound * (2 * torch.rand(count, 1, after) - 1)))

    def forward(self, x: Tensor) -> Tensor:
        """Inputs (G, n, I), of n problems for each network, to outputs (G, n, O)."""
        last = len(self.weights) - 1
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            x = x if number == last else silu(x)
        return x

    @torch.no_grad()
    def spread_over(self, x: Tensor, own: Tensor, spread: float) -> None:
        """Scale and shift the last layers, so that the outputs for inputs (G, n, I) have mean 0.

        Each output then has the given standard deviation over those of all networks that ``own``
        (G, n) counts; where all inputs are alike, none has any.
        """
        first = self(x)[own]
        width = first.std(dim=0, unbiased=False)
        scale = torch.where(width > 1e-4, spread / width, 1.0)
        self.weights[-1].mul_(scale)
        self.biases[-1].sub_(first.mean(dim=0)).mul_(scale)

    def clip(self, norm: float) -> None:
        """Scale each network's own gradient down to a norm."""
        parts = [p.grad for p in self.parameters() if p.grad is not None]
        squares = [part.flatten(1).square().sum(dim=1) for part in parts]
        length = torch.stack(squares).sum(0).sqrt()
        factor = (norm / length.clamp(min=1e-30)).clamp(max=1.0)
        for part in parts:
            part.mul_(factor[:, None, None])
