"""Networks that see designs as images, where their space says that they are."""

import random

import torch
from torch import Tensor, nn

from invcore.spaces.space import Grid

_SMALLEST = 2  # pixels on a side, below which an image is not halved


class ImageNetwork(nn.Sequential):
    """A convolutional network of images: each layer halves the sides and doubles the channels.

    Where the image repeats, so does the padding: the network sees no edge.

    Args:
        grid: of the pixels.
        outputs: numbers for each image.
        channels: of the first layer.
        width: of the hidden layer after the last of them.

    Example:
        >>> ImageNetwork(Grid(rows=8, columns=8), 1, channels=4)(torch.zeros(3, 64)).shape
        torch.Size([3, 1])
    """

    def __init__(self, grid: Grid, outputs: int, *, channels: int = 16, width: int = 128) -> None:
        layers: list[nn.Module] = [nn.Unflatten(1, (1, grid.rows, grid.columns))]
        depth, rows, columns = 1, grid.rows, grid.columns
        while depth == 1 or (min(rows, columns) > _SMALLEST and rows % 2 == columns % 2 == 0):
            filters = channels if depth == 1 else 2 * depth
            halved = rows % 2 == columns % 2 == 0
            size, stride = (4, 2) if halved else (3, 1)
            layers += [Border(grid.periodic), nn.Conv2d(depth, filters, size, stride), nn.SiLU()]
            depth, rows, columns = filters, rows // stride, columns // stride
        layers += [nn.Flatten(), nn.Linear(depth * rows * columns, width), nn.SiLU()]
        super().__init__(*layers, nn.Linear(width, outputs))


class Border(nn.Module):
    """A border of one pixel: of the opposite side where the image repeats, else of the nearest.

    The same as torch's padding modes circular and replicate; their gradients take twice as long.

    Args:
        periodic: the image repeats.

    Example:
        >>> Border(True)(torch.arange(3.0).view(1, 1, 1, 3))[0, 0, 0].tolist()
        [2.0, 0.0, 1.0, 2.0, 0.0]
    """

    def __init__(self, periodic: bool) -> None:
        super().__init__()
        self._periodic = periodic

    def forward(self, images: Tensor) -> Tensor:
        """Images (…, rows, columns) to (…, rows + 2, columns + 2)."""
        for side in (-2, -1):
            first, last = images.narrow(side, 0, 1), images.narrow(side, images.shape[side] - 1, 1)
            ends = (last, first) if self._periodic else (first, last)
            images = torch.cat([ends[0], images, ends[1]], dim=side)
        return images


def moved(images: Tensor, grid: Grid, draws: random.Random) -> Tensor:
    """Other images (N, F) of the same responses, as far as the grid says which there are.

    All are shifted, and mirrored, alike: a batch is not the place to be different.

    Example:
        >>> grid = Grid(rows=1, columns=4, periodic=True)
        >>> sorted(moved(torch.arange(4.0)[None], grid, random.Random(0))[0].tolist())
        [0.0, 1.0, 2.0, 3.0]
    """
    shaped = images.unflatten(-1, (grid.rows, grid.columns))
    if grid.periodic:
        shifts = draws.randrange(grid.rows), draws.randrange(grid.columns)
        shaped = shaped.roll(shifts, (-2, -1))
    if grid.mirrors:
        shaped = shaped.flip([side for side in (-2, -1) if draws.random() < 0.5])
    return shaped.flatten(-2)
