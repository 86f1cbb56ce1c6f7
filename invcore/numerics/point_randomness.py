"""Random numbers that a method's points alone decide.

To multiply a point by whole numbers and wrap it would not do: the middles of strata, as Latin
hypercubes have them, would only change places. So the numbers come from the points' binary digits,
mixed.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def point_keys(points: Tensor) -> NDArray[np.uint64]:
    """A number of 64 random bits for each point (N, L), from all its digits: (N,).

    Example:
        >>> one, other = point_keys(torch.tensor([[0.25, 0.5], [0.25, 0.75]]))
        >>> bool(one != other)
        True
    """
    digits = np.ascontiguousarray(points.detach().cpu().double().numpy()).view(np.uint64)
    key = np.zeros(len(digits), dtype=np.uint64)
    for column in digits.T:
        key = _mixed((key ^ column) + _GOLDEN)
    return key


def scattered(points: Tensor, first: int, last: int) -> Tensor:
    """Points of the unit cube that others decide, uniform and independent, of places [first, last).

    Args:
        points: (N, L); the place 0 is the point itself.
        first: place in the sequence of each point.
        last: behind the last place.

    Returns:
        (last - first, N, L), float64, inside the open unit cube.

    References:
        Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014,
        https://doi.org/10.1145/2660193.2660195: splitmix64.

    Example:
        >>> points = torch.tensor([[0.25, 0.75]], dtype=torch.float64)
        >>> scattered(points, 0, 3).shape
        torch.Size([3, 1, 2])
        >>> bool((scattered(points, 0, 3)[2] == scattered(points, 2, 3)[0]).all())
        True
    """
    dim = points.shape[1]
    places = np.arange(first * dim, last * dim, dtype=np.uint64).reshape(-1, 1, dim)
    bits = _mixed(point_keys(points)[:, None] + _GOLDEN * (places + np.uint64(1)))
    # The upper 52 bits, and half a step: neither 0 nor 1
    units = torch.from_numpy(((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)
    if first == 0 and last > 0:
        units[0] = points
    return units


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))
