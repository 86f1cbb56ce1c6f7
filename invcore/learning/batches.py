"""Which rows a training sees: how many at once, and which decide the checkpoint."""

from math import inf

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.modules.batchnorm import _BatchNorm

from invcore.data.pairs import Pairs
from invcore.data.scaling import NEAR
from invcore.learning.training_config import TrainingConfig
from invcore.spaces.space import Grid

_STEP = 0.5  # of a whole number: the noise on a constant one


def batches(rows: int, config: TrainingConfig, network: nn.Module) -> tuple[int, int]:
    """How many rows a batch has, and how many batches an epoch; what is left over waits.

    One row has no deviation that a batch normalisation could divide by: with such layers a batch
    has two rows at least, which are copies where there is one row in all.

    Args:
        rows: to train on.
        config: the batch size, and the least steps of an epoch.
        network: that is trained.

    Example:
        >>> batches(9, TrainingConfig(), nn.Linear(1, 1))
        (1, 9)
        >>> batches(9, TrainingConfig(), nn.BatchNorm1d(1))
        (2, 4)
    """
    size = max(1, min(config.batch_size, rows // config.min_steps))
    if size == 1 and any(isinstance(module, _BatchNorm) for module in network.modules()):
        size = 2
    return size, max(1, rows // size)


def near(pairs: Pairs, val: Pairs, grid: Grid | None = None) -> Pairs:
    """The validation rows that are near the box of the training rows, in every column.

    A network says anything of a row far outside of it. One such row, of a column that is constant
    in all other rows or has an outlier, is all of a mean's size: the checkpoint would be that of
    the epoch in which the network happened to guess it best. Near is within the box's width, or
    three standard deviations; of a constant, half a step. Where that leaves no rows, all stay,
    moved to the nearest ends.

    Args:
        pairs: to train on, as the network sees them.
        val: likewise; its features may be padded.
        grid: the features are pixels, of which none is an outlier.

    Example:
        >>> pairs = Pairs(torch.zeros(4, 1), torch.tensor([[0.0], [1.0], [2.0], [3.0]]))
        >>> near(pairs, Pairs(torch.zeros(2, 1), torch.tensor([[5.0], [1e5]]))).y.tolist()
        [[5.0]]
    """
    x, y = (_ends(part, known) for part, known in ((val.x, pairs.x), (val.y, pairs.y)))
    if grid is not None:
        x = val.x.amin(0), val.x.amax(0)
    keep = torch.ones(len(val), dtype=torch.bool, device=val.x.device)
    for part, (low, high) in ((val.x, x), (val.y, y)):
        keep &= ((part >= low) & (part <= high)).all(dim=1)
    if bool(keep.all()):
        return val
    return val[keep] if bool(keep.any()) else Pairs(val.x.clamp(*x), val.y.clamp(*y))


def _ends(part: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Lower and upper ends of what is near known rows (N, D): two (D + P,), where rows have P
    columns of padding, which have none.
    """
    low, high = known.amin(0), known.amax(0)
    width, padding = high - low, (0, part.shape[1] - known.shape[1])
    apart = torch.where(width > 0, width.clamp(min=NEAR), _STEP)
    low, high = pad(low - apart, padding, value=-inf), pad(high + apart, padding, value=inf)
    return low.to(part), high.to(part)
