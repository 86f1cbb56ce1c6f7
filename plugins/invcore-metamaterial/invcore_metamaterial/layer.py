"""A layer that is uniform in z: how it carries an admittance from its far side to its near one."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore_metamaterial.harmonics import Harmonics

_STRAIGHT = 2  # double-angle steps: arguments up to 4, where cosh costs two digits at most


@dataclass(frozen=True)
class Carried:
    """What a layer makes of the admittance at its far side.

    Args:
        admittance: (N, F, n, n) at its near side.
        left: (N, F, n, n).
        right: (N, F, n, n); None for the unit matrix. E_far = left⁻¹ right E_near.
    """

    admittance: Tensor
    left: Tensor
    right: Tensor | None

    def far(self, field: Tensor) -> Tensor:
        """The field (N, F, n) at the far side that one at the near side causes."""
        if self.right is not None:
            field = (self.right @ field[..., None])[..., 0]
        return torch.linalg.solve(self.left, field)


class Layer:
    """Layers of N cells with E' = -P H and H' = -Q E.

    Args:
        own: the harmonics.
        p0: (N, n, n), P0 of P = P0/k0² + P1; P1 is the same for all layers.
        q1: (N, n, n), Q1 of Q = Q0/k0² + Q1; Q0 is the same for all layers.
    """

    def __init__(self, own: Harmonics, p0: Tensor, q1: Tensor) -> None:
        self._own = own
        self._p0 = p0
        self._q1 = q1
        # P0 Q0 = 0: the divergence of a curl
        self._m0 = p0 @ q1 + own.turn @ own.curl
        self._m1 = own.turn @ q1

    def carry(self, depth: Tensor, light: Tensor, admittance: Tensor) -> Carried:
        """The admittance at the near side, and how the field comes to the far one.

        Args:
            depth: (N,), µm.
            light: k0 (N, F), 1/µm.
            admittance: (N, F, n, n) at the far side.
        """
        halvings = self._halvings(depth)
        thickness = (depth[:, None] * light)[..., None, None]  # in 1/k0
        small = thickness / 2**halvings
        square = at(self._m0, self._m1, light) * small**2
        versine, sinhc = _series(square)  # (cosh - 1) / X and sinh √X / √X
        cosh = _plus(square @ versine, 1.0)
        straight = min(halvings, _STRAIGHT)
        for _ in range(straight):
            versine = (versine + versine @ cosh) / 2
            sinhc = sinhc @ cosh
            cosh = _plus(2.0 * cosh @ cosh, -1.0)
        step = small * 2**straight
        cause = at(self._p0, self._own.turn, light)
        slope = cause @ admittance  # -E' = slope E at the far side
        if straight == halvings:
            rise = step * sinhc + step**2 * (versine @ slope)
            field = cosh + step * (sinhc @ slope)
            magnetic = admittance + at(self._own.curl, self._q1, light) @ rise
            return Carried(torch.linalg.solve(field, magnetic, left=False), field, None)
        far = torch.linalg.inv(sinhc) / step
        near = cosh @ far
        for _ in range(halvings - straight):
            far = far @ torch.linalg.solve(2.0 * near, far)
            near = near - far
        both = near + slope
        slope = near - far @ torch.linalg.solve(both, far)
        return Carried(torch.linalg.solve(cause, slope), both, far)

    def _halvings(self, depth: Tensor) -> int:
        """How often to halve the thickest layer until its fastest wave varies by less than e."""
        fastest = math.sqrt(sum(float(k.max()) for k in self._own.squares["even"]))
        return max(0, math.ceil(math.log2(max(float(depth.detach().max()) * fastest, 0.5))))


def at(over: Tensor, constant: Tensor, light: Tensor) -> Tensor:
    """The matrix over/k0² + constant, (N, F, n, n), for each k0 of light (N, F)."""
    first = over if over.dim() == 2 else over[:, None]
    second = constant if constant.dim() == 2 else constant[:, None]
    return first / (light**2)[..., None, None] + second


def _series(square: Tensor) -> tuple[Tensor, Tensor]:
    """(cosh √X - 1) / X and sinh √X / √X of matrices X of norms near 1, to 1e-11."""
    second = square @ square
    third = second @ square
    results = []
    for first in (2, 1):
        c = [1.0 / math.factorial(2 * order + first) for order in range(7)]
        upper = torch.add(c[4] * square, second, alpha=c[5]).add_(third, alpha=c[6])
        lower = torch.add(c[1] * square, second, alpha=c[2])
        results.append(_plus(lower.add_(third @ _plus(upper, c[3])), c[0]))
    return results[0], results[1]


def _plus(matrix: Tensor, number: float) -> Tensor:
    """Add a number to the diagonal of a matrix that nobody else needs."""
    matrix.diagonal(dim1=-2, dim2=-1).add_(number)
    return matrix
