"""Normal distributions between two ends, also far out in their tails; float64."""

import math

import torch
from torch import Tensor
from torch.special import log_ndtr, ndtri

_NARROW = 1e-5  # an interval over which a normal density hardly bends
_FAR = -30.0  # log probability below which the inverse is found by Newton's method
_STEPS = 6
_LOG_ROOT = 0.5 * math.log(2 * math.pi)


def log_mass(low: Tensor, high: Tensor) -> Tensor:
    """Log of the probability of standard normal numbers between two ends.

    Where the ends are one, it is the log of the density there.

    Args:
        low: of any shape; may be minus infinity.
        high: of the same shape, not below ``low``; may be infinity.

    Example:
        >>> ends = torch.tensor([[-torch.inf, 0.0], [40.0, 41.0]]).double()
        >>> log_mass(ends[:, 0], ends[:, 1]).round(decimals=3).tolist()
        [-0.693, -804.608]
    """
    low, high = _mirrored(low, high)[:2]
    narrow, middle, width = _narrow(low, high)
    upper = log_ndtr(high)
    share = log_ndtr(low) - upper
    wide = upper + torch.log1p(-share.clamp(max=-1e-300).exp())
    thin = -0.5 * middle.square() - _LOG_ROOT + torch.where(width > 0, width, 1.0).log()
    return torch.where(narrow, thin, wide)


def quantile(low: Tensor, high: Tensor, share: Tensor) -> Tensor:
    """The number below which a share is of the standard normal ones between two ends.

    Args:
        low: of any shape; may be minus infinity.
        high: of the same shape, not below ``low``; may be infinity.
        share: of the same shape, inside (0, 1).

    Example:
        >>> ends = torch.tensor([[-torch.inf, torch.inf], [40.0, torch.inf]]).double()
        >>> quantile(ends[:, 0], ends[:, 1], torch.full((2,), 0.5).double()).round(decimals=4)
        tensor([ 0.0000, 40.0173], dtype=torch.float64)
    """
    first, last, turned = _mirrored(low, high)
    narrow, _, width = _narrow(first, last)
    share = torch.where(turned, 1 - share, share)
    log_share = torch.where(turned, torch.log1p(share - 1), share.log())
    rest = torch.log1p(-share)
    place = torch.logaddexp(log_ndtr(first) + rest, log_ndtr(last) + log_share)
    inside = _inverse(place)
    inside = torch.where(narrow, first + share * width, inside)
    inside = torch.minimum(torch.maximum(inside, first), last)
    return torch.where(turned, -inside, inside)


def _mirrored(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The ends so that most of what is between them is below zero, and which were turned round."""
    turned = low > -high
    return torch.where(turned, -high, low), torch.where(turned, -low, high), turned


def _narrow(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where the density is nearly the same from end to end; the middles and widths there."""
    width = high - low
    narrow = width * (1 + torch.maximum(low.abs(), high.abs())) < _NARROW
    width = torch.where(narrow, width, 0.0)
    return narrow, torch.where(narrow, low + 0.5 * width, 0.0), width


def _inverse(place: Tensor) -> Tensor:
    """The number whose log of the probability to be below it is given."""
    near = ndtri(place.clamp(max=0.0).exp())
    far = place < _FAR
    if not bool(far.any()):
        return near
    aim = torch.where(far, place, _FAR)
    root = (-2 * aim).sqrt()
    x = -(-2 * aim - 2 * _LOG_ROOT - 2 * root.log()).sqrt()
    for _ in range(_STEPS):
        below = log_ndtr(x)
        slope = (-0.5 * x.square() - _LOG_ROOT - below).exp()
        x = x - (below - aim) / slope
    return torch.where(far, x, near)
