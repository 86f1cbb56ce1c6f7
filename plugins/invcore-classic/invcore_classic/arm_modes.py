"""The modes of robotic-arm: its locally most probable designs for a wanted hand position.

Four designs and two responses leave a surface of solutions, mostly in one piece, so its pieces say
little. What people tell apart are ways to reach: elbow up, elbow down. In the prior's standard
units z they are the local minima of q(z) = |z|² on {F(z) = y*}, the local maxima of the prior's
density there. They are found by descent from many starts: linearise F, go towards the point of
the linearised surface nearest to the origin (Hasofer, Lind, 1974; Rackwitz, Fiessler, 1978), then
Newton's method on the conditions of Karush, Kuhn and Tucker, and a test of second order.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.plugin import Modes, generator

MARGIN = 2 * 9.210340371976184  # 2 log(10^4): the density is at least 1e-4 of the best mode's
_STARTS = 128
_SPREAD = 2.5  # of the starts, in standard deviations
_DESCENT, _DAMPING, _LONGEST = 40, 0.7, 1.0  # steps, and how far one goes
_NEWTON, _TRUST = 12, 0.5
_RESIDUAL = 1e-9
_CURVATURE = 1e-6
_APART = 1e-4  # nearer minima are one
_TINY = 1e-12  # keeps singular systems soluble
_ROWS = 1 << 15  # starts of all targets at once


@dataclass(frozen=True)
class Arm:
    """What the hand's position depends on, beside the design.

    Args:
        lengths: (3,), of the segments.
        mix: (3, 3), how much of each joint angle is in each segment's angle.
        scale: (4,), standard deviations of the start height and the three joint angles.
    """

    lengths: Tensor
    mix: Tensor
    scale: Tensor

    def position(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """F (M, 2), its Jacobian (M, 2, 4) and Hessians (M, 2, 4, 4) at designs z (M, 4)."""
        turn = self.mix * self.scale[1:]  # (3, 3): d φ / d z
        phi = z[:, 1:] @ turn.T
        cosine, sine = self.lengths * phi.cos(), self.lengths * phi.sin()
        height = self.scale[0] * z[:, 0]
        value = torch.stack((cosine.sum(dim=1), height + sine.sum(dim=1)), dim=1)
        first = z.new_zeros(len(z), 2, 4)
        first[:, 1, 0] = self.scale[0]
        first[:, 0, 1:], first[:, 1, 1:] = -(sine @ turn), cosine @ turn
        second = z.new_zeros(len(z), 2, 4, 4)
        for row, part in enumerate((cosine, sine)):
            second[:, row, 1:, 1:] = -torch.einsum("mi,ia,ib->mab", part, turn, turn)
        return value, first, second


def arm_minima(targets: Tensor, arm: Arm) -> Tensor:
    """The local minima of q = |z|² among the designs that reach each target.

    Those are listed whose q is at most ``MARGIN`` above the smallest: their density is at least
    1e-4 of the best mode's. That none is missed is not checked at run time, but by a test, for a
    sample of targets of both conventions: it covers all designs with q up to the margin by boxes,
    and shows by interval arithmetic (float64, without directed rounding) that a box holds no KKT
    point, or none but a known one.

    Args:
        targets: (B, 2).
        arm: its geometry.

    Returns:
        (B, M, 4), float64, in standard units, the most probable first; rows of NaN where a target
        has fewer than M.

    Example:
        >>> plane = torch.tensor([[1., 0, 0], [1, 1, 0], [1, 1, 1]], dtype=torch.float64)
        >>> arm = Arm(plane.new_tensor([0.5, 0.5, 1]), plane, plane.new_tensor([0.25] + [0.5] * 3))
        >>> arm_minima(torch.tensor([[1.5, 0.0]]), arm).norm(dim=2)  # bent up or bent down
        tensor([[3.0770, 3.0770]], dtype=torch.float64)
    """
    shape = (_STARTS, 4)
    starts = _SPREAD * torch.randn(shape, generator=generator(0, "arm-modes"), dtype=torch.float64)
    step = _ROWS // _STARTS
    parts = [
        _minima(targets[i : i + step].double().cpu(), starts, arm)
        for i in range(0, len(targets), step)
    ]
    most = max((part.shape[1] for part in parts), default=0)
    minima = torch.full((len(targets), most, 4), torch.nan, dtype=torch.float64)
    for i, part in enumerate(parts):
        minima[i * step : i * step + len(part), : part.shape[1]] = part
    return minima


def _minima(targets: Tensor, starts: Tensor, arm: Arm) -> Tensor:
    count = len(targets)
    y = targets.repeat_interleave(len(starts), dim=0)
    z = _descended(starts.repeat(count, 1), y, arm)
    z, minimum = _polished(z, y, arm)
    z, minimum = z.unflatten(0, (count, -1)), minimum.unflatten(0, (count, -1))
    q = torch.where(minimum, z.square().sum(dim=2), torch.inf)
    q, order = q.sort(dim=1, stable=True)
    z = z.gather(1, order[..., None].expand_as(z))
    z = torch.where(q.isfinite()[..., None], z, torch.nan)
    again = (torch.cdist(z, z) < _APART).tril(-1).any(dim=2)  # NaN is near nothing
    keep = (q <= q[:, :1] + MARGIN) & q.isfinite() & ~again
    most = int(keep.sum(dim=1).max()) if count else 0
    places = (~keep).long().argsort(dim=1, stable=True)[:, :most]
    chosen = z.gather(1, places[..., None].expand(-1, -1, 4))
    return torch.where(keep.gather(1, places)[..., None], chosen, torch.nan)


def _descended(z: Tensor, y: Tensor, arm: Arm) -> Tensor:
    """Damped steps to the point of the linearised surface that is nearest to the origin."""
    identity = _TINY * torch.eye(2, dtype=z.dtype)
    for _ in range(_DESCENT):
        value, slope, _ = arm.position(z)
        offset = (slope @ z[..., None])[..., 0] - (value - y)
        pull = torch.linalg.solve_ex(slope @ slope.mT + identity, offset)[0]
        step = (slope.mT @ pull[..., None])[..., 0] - z
        z = z + _DAMPING * _shortened(step, _LONGEST) * step
    return z


def _polished(z: Tensor, y: Tensor, arm: Arm) -> tuple[Tensor, Tensor]:
    """Newton's method on the KKT conditions; the points, and which of them are minima."""
    _, slope, _ = arm.position(z)
    inner = slope @ slope.mT + _TINY * torch.eye(2, dtype=z.dtype)
    force = -2 * torch.linalg.solve_ex(inner, (slope @ z[..., None])[..., 0])[0]
    for _ in range(_NEWTON):
        wrong, system = _conditions(z, force, y, arm)
        step = -torch.linalg.solve_ex(system, wrong)[0]
        step = _shortened(step[:, :4], _TRUST) * step
        z, force = z + step[:, :4], force + step[:, 4:]
    wrong, system = _conditions(z, force, y, arm)
    solved = wrong.abs().amax(dim=1) < _RESIDUAL  # NaN is not
    slope, curvature = system[:, 4:, :4], system[:, :4, :4]
    safe = torch.where(solved[:, None, None], slope, torch.eye(4, dtype=z.dtype)[:2])
    along = torch.linalg.qr(safe.mT, mode="complete").Q[:, :, 2:]  # the surface's directions
    inside = along.mT @ torch.where(solved[:, None, None], curvature, 0.0) @ along
    return z, solved & (torch.linalg.eigvalsh(inside)[:, 0] > _CURVATURE)


def _conditions(z: Tensor, force: Tensor, y: Tensor, arm: Arm) -> tuple[Tensor, Tensor]:
    """The KKT conditions' residuals (M, 6) and their Jacobian (M, 6, 6)."""
    value, slope, bend = arm.position(z)
    wrong = torch.cat((2 * z + (slope.mT @ force[..., None])[..., 0], value - y), dim=1)
    system = z.new_zeros(len(z), 6, 6)
    system[:, :4, :4] = 2 * torch.eye(4, dtype=z.dtype) + torch.einsum("mk,mkab->mab", force, bend)
    system[:, :4, 4:], system[:, 4:, :4] = slope.mT, slope
    return wrong, system


def _shortened(step: Tensor, longest: float) -> Tensor:
    """The factor (M, 1) that makes steps no longer than that."""
    return (longest / step.norm(dim=1, keepdim=True).clamp(min=_TINY)).clamp(max=1.0)


def arm_modes(targets: Tensor, designs: Tensor, arm: Arm) -> Modes:
    """The modes of each target, and the one nearest to each design in standard units.

    Args:
        targets: (B, 2).
        designs: (B, K, 4).
        arm: its geometry.
    """
    minima = arm_minima(targets, arm).to(designs.device)  # (B, M, 4)
    mask = ~minima.isnan().any(dim=2)
    z = designs.double() / arm.scale.to(designs.device)
    far = torch.cdist(z, minima.nan_to_num(nan=0.0))
    far = far.masked_fill(~mask[:, None], torch.inf)  # (B, K, M)
    if far.shape[2] == 0:
        return Modes(mask.sum(dim=1), torch.full(far.shape[:2], -1, device=designs.device))
    nearest = far.argmin(dim=2)
    some = mask.any(dim=1)[:, None] & z.isfinite().all(dim=2)
    return Modes(mask.sum(dim=1), torch.where(some, nearest, -1))
