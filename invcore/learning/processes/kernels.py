"""Kernels: how alike the responses of two designs are, and how that follows the lengths."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

Kernel = Literal["matern", "rbf"]


def squares(a: Tensor, b: Tensor, length: Tensor) -> Tensor:
    """Squared distances (R, M, N) of features (M, F) and (N, F), in units of lengths (R, F)."""
    left, right = a[None] / length[:, None], b[None] / length[:, None]
    square = left.square().sum(2)[:, :, None] + right.square().sum(2)[:, None] - 2 * left @ right.mT
    return square.clamp(min=0.0)


def correlations(kernel: Kernel, square: Tensor) -> Tensor:
    """Correlations at squared distances, of the same shape; autograd may follow it.

    References:
        Rasmussen, Williams, Gaussian processes for machine learning, MIT Press 2006, section 4.2.

    Example:
        >>> import torch
        >>> correlations("rbf", torch.tensor([0.0, 2.0])).tolist()
        [1.0, 0.3678794503211975]
    """
    if kernel == "rbf":
        return (-0.5 * square).exp()
    distance = (5 * square + 1e-24).sqrt()  # whose slope at zero would be infinite
    return (1 + distance + distance.square() / 3) * (-distance).exp()


def correlations_and_slopes(kernel: Kernel, square: Tensor) -> tuple[Tensor, Tensor]:
    """Correlations, and what they grow by with the logarithm of a length, both of one shape.

    A slope is to be multiplied by the squared distance in the feature of that length alone. The
    squared distances are overwritten.
    """
    if kernel == "rbf":
        correlation = square.mul_(-0.5).exp_()
        return correlation, correlation
    distance = square.mul_(5.0).sqrt_()
    decay = (-distance).exp_()
    slope = (1 + distance).mul_(decay)  # of which 5/3 is the slope
    correlation = distance.square_().mul_(decay).div_(3.0).add_(slope)
    return correlation, slope.mul_(5.0 / 3.0)
