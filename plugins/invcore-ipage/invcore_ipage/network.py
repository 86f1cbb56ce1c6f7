"""The invertible network: a bijection of (x, padding) and (y, z, padding).

Why padding: the designs of one response often form closed curves, which no bijection of x and
(y, z) alone can map to the whole latent space.
"""

from __future__ import annotations

import torch
from FrEIA.framework import SequenceINN
from FrEIA.modules import AllInOneBlock
from torch import Tensor, nn

from invcore import MLP, ConfigError
from invcore_ipage.config import NetworkConfig


class PaddedInvertible(nn.Module):
    """A sequence of affine couplings. Wrap it in ``invcore.isolated`` to seed its weights.

    Args:
        config: sizes.
        features: F, of the designs.
        responses: Dy.

    References:
        Ardizzone et al., ICLR 2019, https://arxiv.org/abs/1808.04730; FrEIA's AllInOneBlock.

    Example:
        >>> network = PaddedInvertible(NetworkConfig(width=8), features=2, responses=1)
        >>> x = torch.zeros(3, 2)
        >>> y, z, padding = network.split(network(network.pad(x)))
        >>> bool((network.inverse(torch.cat([y, z, padding], 1))[:, :2] - x).abs().max() < 1e-5)
        True
    """

    def __init__(self, config: NetworkConfig, features: int, responses: int) -> None:
        super().__init__()
        self.features, self.responses = features, responses
        self.latent = config.latent or max(2, features - responses)
        least = max(features, responses + self.latent)
        self.total = config.total or max(8, least + (least + 1) // 2)
        self.total += self.total % 2  # the two halves that the blocks swap are equal
        if self.total < least:
            raise ConfigError(f"network.total: {self.total} is below the {least} that are needed")
        self.inn = SequenceINN(self.total)
        # A fixed swap of halves lets the first block write functions of x into the padding; random
        # rotations learn several times more slowly.
        swap = torch.eye(self.total).roll(self.total // 2, 0)
        for _ in range(config.blocks):
            self.inn.append(
                AllInOneBlock,
                subnet_constructor=lambda inputs, outputs: _subnet(config, inputs, outputs),
                affine_clamping=config.clamp,
            )
            block = self.inn.module_list[-1]
            block.w_perm.data, block.w_perm_inv.data = swap.clone(), swap.T.clone()

    @property
    def padding_x(self) -> int:
        """Padding beside x."""
        return self.total - self.features

    @property
    def padding_y(self) -> int:
        """Padding beside y and z."""
        return self.total - self.responses - self.latent

    def pad(self, values: Tensor) -> Tensor:
        """(N, less than total) to (N, total), with zeros."""
        return nn.functional.pad(values, (0, self.total - values.shape[1]))

    def split(self, out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, total) to y (N, Dy), z (N, latent) and padding."""
        y, z, padding = out.split([self.responses, self.latent, self.padding_y], dim=1)
        return y, z, padding

    def forward(self, x: Tensor) -> Tensor:
        """(x, padding) to (y, z, padding): (N, total) each."""
        out: Tensor = self.inn(x, jac=False)[0]
        return out

    def inverse(self, y: Tensor) -> Tensor:
        """(y, z, padding) to (x, padding): (N, total) each."""
        out: Tensor = self.inn(y, rev=True, jac=False)[0]
        return out

    def predict(self, features: Tensor) -> Tensor:
        """The frozen forward model: features (N, F) to responses (N, Dy), both scaled."""
        return self(self.pad(features))[:, : self.responses]

    def starts(self, y: Tensor, z: Tensor) -> Tensor:
        """Designs for responses (N, Dy) and latents (N, latent): features (N, F), scaled."""
        return self.inverse(self.pad(torch.cat([y, z], dim=1)))[:, : self.features]


class _Times(nn.Module):
    """A constant factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, values: Tensor) -> Tensor:
        return self.factor * values


def _subnet(config: NetworkConfig, inputs: int, outputs: int) -> nn.Module:
    """A coupling's sub-network, near zero at first."""
    net = MLP(inputs, outputs, width=config.width, depth=config.depth)
    with torch.no_grad():
        first, last = net[0], net[-1]
        assert isinstance(first, nn.Linear) and isinstance(last, nn.Linear)
        first.weight.mul_(config.gain)
        first.bias.mul_(config.gain)
        last.weight.mul_(0.1)
        last.bias.zero_()
    return nn.Sequential(net, _Times(10.0))  # undoes the 0.1 inside of AllInOneBlock
