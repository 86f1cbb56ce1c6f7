"""Affine couplings for images: convolutions on ever coarser pixels, before the dense couplings."""

import torch
from FrEIA.framework import SequenceINN
from FrEIA.modules import AllInOneBlock
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from invcore.learning import Border
from invcore.plugin import Config, Field, Grid

_SMALLEST = 4  # pixels on a side, below which an image is not halved


class MultiscaleConfig(Config):
    """The couplings of images: where a space of designs has a grid."""

    blocks: int = Field(2, ge=0, description="Couplings at each of the scales; 0: none at all.")
    channels: int = Field(32, ge=1, description="Of a coupling's convolutional sub-network.")


class Multiscale(nn.Module):
    """A bijection of images: it halves the sides and makes four channels of one while it can.

    At each scale, couplings with convolutional sub-networks: pixels far apart come together in a
    few, each of which sees its neighbours alone.

    Args:
        config: sizes.
        grid: of the pixels.
        clamp: soft limit of a coupling's log scale.

    References:
        Dinh, Sohl-Dickstein, Bengio, *Density estimation using Real NVP*, ICLR 2017,
        https://arxiv.org/abs/1605.08803; FrEIA's AllInOneBlock.

    Example:
        >>> images = Multiscale(MultiscaleConfig(channels=4), Grid(rows=8, columns=8), 2.0)
        >>> values, log_det = images(torch.ones(2, 64))
        >>> bool((images.inverse(values)[0] - 1).abs().max() < 1e-5)
        True
    """

    def __init__(self, config: MultiscaleConfig, grid: Grid, clamp: float) -> None:
        super().__init__()
        self._shape = (1, grid.rows, grid.columns)
        self.scales = nn.ModuleList()
        channels, rows, columns = self._shape
        while rows % 2 == columns % 2 == 0 and min(rows, columns) > _SMALLEST and config.blocks:
            channels, rows, columns = 4 * channels, rows // 2, columns // 2
            scale = SequenceINN(channels, rows, columns)
            for _ in range(config.blocks):
                scale.append(
                    AllInOneBlock,
                    subnet_constructor=lambda inputs, outputs: _subnet(
                        config.channels, inputs, outputs, grid.periodic
                    ),
                    affine_clamping=clamp,
                )
            self.scales.append(scale)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """From features (N, F) to as many others, and log |det| (N,)."""
        images, total = x.unflatten(1, self._shape), x.new_zeros(len(x))
        for scale in self.scales:
            images, log_det = scale(pixel_unshuffle(images, 2))
            total = total + log_det
        return images.flatten(1), total

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Back to features (N, F), and log |det| (N,)."""
        factor, (_, rows, columns) = 2 ** len(self.scales), self._shape
        images = z.unflatten(1, (factor**2, rows // factor, columns // factor))
        total = z.new_zeros(len(z))
        for scale in reversed(self.scales):
            assert isinstance(scale, SequenceINN)
            images, log_det = scale(images, rev=True)
            images, total = pixel_shuffle(images, 2), total + log_det
        return images.flatten(1), total


def _subnet(channels: int, inputs: int, outputs: int, periodic: bool) -> nn.Module:
    """A coupling's sub-network, zero at first."""
    last = nn.Conv2d(channels, outputs, 1)
    with torch.no_grad():
        last.weight.zero_()
        assert last.bias is not None
        last.bias.zero_()
    return nn.Sequential(
        Border(periodic), nn.Conv2d(inputs, channels, 3), nn.SiLU(),
        nn.Conv2d(channels, channels, 1), nn.SiLU(), last,
    )  # fmt: skip
