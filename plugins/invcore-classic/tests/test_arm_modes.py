"""The modes of robotic-arm are all there: boxes cover all designs, and exclude any other.

In the segments' angles φ the start height is known from y2, and q is (with a for the height and M
for the angles, both in standard units) a² + φᵀMφ on Σ l cos φ = y1. A KKT point has the gradients
α of q / 2 and β of the constraint parallel, in some basis: αᵢ = (Mφ)ᵢ - a lᵢ cos φᵢ / σ₁ and
βᵢ = lᵢ sin φᵢ. A box is excluded where the ranges of q, of the constraint or of a minor
αᵢβⱼ - αⱼβᵢ leave no room, and done with where it lies inside a larger box that holds one known KKT
point and, since the equations are injective there, no other. What is left is cut into eight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from invcore_classic.arm_modes import MARGIN, Arm, arm_minima
from invcore_classic.robotic_arm import _ANGLES, RoboticArm
from torch import Tensor

from invcore.plugin import generator

SCALE = torch.tensor([0.25, 0.5, 0.5, 0.5], dtype=torch.float64)
OTHER = [(0, 1), (0, 2), (1, 2)]


def arm_of(convention, lengths=(0.5, 0.5, 1.0)):
    mix = torch.tensor(_ANGLES[convention], dtype=torch.float64)
    return Arm(torch.tensor(lengths, dtype=torch.float64), mix, SCALE)


@dataclass(frozen=True)
class Range:
    """All numbers between two ends, elementwise."""

    low: Tensor
    high: Tensor

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Range) -> Range:
        return Range(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Range | Tensor | float) -> Range:
        if not isinstance(other, Range):
            other = Range(torch.as_tensor(other), torch.as_tensor(other))
        ends = torch.stack(torch.broadcast_tensors(
            self.low * other.low, self.low * other.high, self.high * other.low,
            self.high * other.high,
        ))  # fmt: skip
        return Range(ends.amin(dim=0), ends.amax(dim=0))

    def __getitem__(self, key) -> Range:
        return Range(self.low[key], self.high[key])

    def sum(self) -> Range:
        return Range(self.low.sum(dim=-1), self.high.sum(dim=-1))

    def holds_zero(self) -> Tensor:
        return (self.low <= 0) & (self.high >= 0)


def cosine(angle: Range) -> Range:
    """The range of the cosine: its ends, and ±1 where a multiple of π lies between."""
    ends = torch.stack((angle.low.cos(), angle.high.cos()))
    turn = 2 * torch.pi

    def within(offset: float) -> Tensor:
        return ((angle.high - offset) / turn).floor() >= ((angle.low - offset) / turn).ceil()

    low = torch.where(within(torch.pi), -1.0, ends.amin(dim=0))
    return Range(low, torch.where(within(0.0), 1.0, ends.amax(dim=0)))


class Conditions:
    """Ranges of everything that the conditions depend on, over boxes of φ."""

    def __init__(self, arm: Arm, y: Tensor, phi: Range) -> None:
        self.arm, self.sigma, self.length = arm, arm.scale[0], arm.lengths
        turn = arm.mix * arm.scale[1:]
        self.metric = torch.linalg.inv(turn @ turn.T)
        self.cos = cosine(phi) * self.length
        half = torch.pi / 2
        self.sin = cosine(Range(phi.low - half, phi.high - half)) * self.length
        reach = self.sin.sum()
        self.a = Range((y[1] - reach.high) / self.sigma, (y[1] - reach.low) / self.sigma)
        across = self.cos.sum()
        self.constraint = Range(across.low - y[0], across.high - y[0])
        middle, half_width = 0.5 * (phi.low + phi.high), 0.5 * (phi.high - phi.low)
        moment, spread = middle @ self.metric, half_width @ self.metric.abs()
        linear = Range(moment - spread, moment + spread)
        self.alpha = linear - self.cos * (self.a[..., None] * (1 / self.sigma))
        self.beta = self.sin
        size = (middle @ self.metric * middle).sum(dim=-1).clamp(min=0).sqrt()
        reach_of_box = (half_width @ self.metric.abs() * half_width).sum(dim=-1).sqrt()
        angles = (size - reach_of_box).clamp(min=0).square()
        height = torch.where(
            self.a.holds_zero(), 0.0, torch.minimum(self.a.low.abs(), self.a.high.abs())
        )
        self.least_q = angles + height.square()

    def minor(self, i: int, j: int) -> Range:
        return self.alpha[..., i] * self.beta[..., j] - self.alpha[..., j] * self.beta[..., i]

    def possible(self, most_q: float) -> Tensor:
        """Which boxes may hold a KKT point with q up to that."""
        fine = (self.least_q <= most_q) & self.constraint.holds_zero()
        for i, j in OTHER:
            fine = fine & self.minor(i, j).holds_zero()
        return fine

    def jacobian(self, pivot: int) -> Range:
        """Of the constraint and of the two minors with the pivot (..., 3, 3)."""
        alpha = self._slope_of_alpha()
        zero = Range(torch.zeros_like(self.a.low), torch.zeros_like(self.a.low))
        rows = [[self.sin[..., k] * -1.0 for k in range(3)]]
        for i in (i for i in range(3) if i != pivot):
            row = []
            for k in range(3):
                turn_i = self.cos[..., i] if k == i else zero
                turn_p = self.cos[..., pivot] if k == pivot else zero
                row.append(
                    alpha[i][k] * self.beta[..., pivot] + self.alpha[..., i] * turn_p
                    - alpha[pivot][k] * self.beta[..., i] - self.alpha[..., pivot] * turn_i
                )  # fmt: skip
            rows.append(row)
        low = torch.stack([torch.stack([e.low for e in row], dim=-1) for row in rows], dim=-2)
        high = torch.stack([torch.stack([e.high for e in row], dim=-1) for row in rows], dim=-2)
        return Range(low, high)

    def _slope_of_alpha(self) -> list[list[Range]]:
        found = []
        for i in range(3):
            row = []
            for k in range(3):
                value = self.cos[..., i] * self.cos[..., k] * (1 / self.sigma**2)
                if i == k:
                    value = value + self.a * self.sin[..., i] * (1 / self.sigma)
                metric = self.metric[i, k].expand_as(value.low)
                row.append(value + Range(metric, metric))
            found.append(row)
        return found


def newton(arm: Arm, y: Tensor, phi: Tensor) -> Tensor:
    """KKT points (n, 3) from starts, by Newton's method on boxes without width; those found."""
    pivot = 0
    for _ in range(30):
        here = Conditions(arm, y, Range(phi, phi))
        pivots = here.beta.low.abs().argmax(dim=-1)
        step = torch.zeros_like(phi)
        for pivot in range(3):
            mine = pivots == pivot
            system = here.jacobian(pivot).low[mine]
            step[mine] = torch.linalg.solve_ex(system, _residual(here, pivot)[mine])[0]
        longest = step.norm(dim=1, keepdim=True).clamp(min=1e-12)
        phi = phi - step * (0.3 / longest).clamp(max=1.0)
    here = Conditions(arm, y, Range(phi, phi))
    wrong = torch.stack([here.constraint.low] + [here.minor(i, j).low for i, j in OTHER])
    return phi[(wrong.abs().amax(dim=0) < 1e-10)]


def _residual(here: Conditions, pivot: int) -> Tensor:
    minors = [here.minor(i, pivot).low for i in range(3) if i != pivot]
    return torch.stack([here.constraint.low, *minors], dim=-1)


def unique_box(arm: Arm, y: Tensor, point: Tensor) -> float:
    """Half the width of a box around a KKT point (3,) that holds no other."""
    exact = Conditions(arm, y, Range(point[None], point[None]))
    pivot = int(exact.beta.low[0].abs().argmax())
    inverse = torch.linalg.inv(exact.jacobian(pivot).low[0])
    half = 0.5
    while half > 1e-6:
        slopes = Conditions(arm, y, Range(point[None] - half, point[None] + half)).jacobian(pivot)
        middle = 0.5 * (slopes.low + slopes.high)[0]
        spread = 0.5 * (slopes.high - slopes.low)[0]
        # All matrices in the range, times the inverse: near the identity they are regular, and
        # so is their mean along any segment between two points of the box.
        off = (inverse @ middle - torch.eye(3)).abs() + inverse.abs() @ spread
        if off.sum(dim=1).max() < 1:
            return half
        half /= 1.5
    raise AssertionError("a degenerate KKT point")


def all_kkt_points(arm: Arm, y: Tensor, most_q: float) -> Tensor:
    """Every KKT point with q up to a bound, and perhaps some above it: (n, 3), angles φ."""
    turn = arm.mix * arm.scale[1:]
    side = most_q**0.5 * turn.norm(dim=1)  # |φᵢ| there
    cuts = 24
    line = (torch.arange(cuts, dtype=torch.float64) + 0.5) / cuts * 2 - 1
    middle = torch.cartesian_prod(line, line, line) * side
    half = side / cuts
    corners = torch.cartesian_prod(*[torch.tensor([-0.5, 0.5], dtype=torch.float64)] * 3)
    points, widths = torch.empty(0, 3, dtype=torch.float64), torch.empty(0, dtype=torch.float64)

    def uncovered() -> Tensor:
        reach = (middle[:, None] - points).abs() + half  # (boxes, points, 3)
        return middle[~(reach <= widths[:, None]).all(dim=2).any(dim=1)]

    for level in range(30):
        left = Conditions(arm, y, Range(middle - half, middle + half)).possible(most_q)
        middle = middle[left]
        middle = uncovered()
        if level >= 2 and len(middle):
            for point in newton(arm, y, middle[:: 1 + len(middle) // 100]):
                if len(points) == 0 or (points - point).norm(dim=1).min() > 1e-6:
                    points = torch.cat((points, point[None]))
                    widths = torch.cat((widths, torch.tensor([unique_box(arm, y, point)]).double()))
            middle = uncovered()
        if len(middle) == 0:
            return points
        middle = (middle[:, None] + corners * half).flatten(0, 1)
        half = half / 2
        assert len(middle) < 3_000_000
    raise AssertionError(f"{len(middle)} boxes left")


def is_minimum(arm: Arm, y: Tensor, phi: Tensor) -> bool:
    """Whether q grows along the constraint, by second differences on the surface itself."""
    turn = arm.mix * arm.scale[1:]

    def q(point: Tensor) -> Tensor:
        height = (y[1] - (arm.lengths * point.sin()).sum(-1)) / arm.scale[0]
        return height**2 + torch.linalg.solve(turn, point).square().sum()

    def back(point: Tensor) -> Tensor:
        for _ in range(6):
            slope = -arm.lengths * point.sin()
            gap = (arm.lengths * point.cos()).sum() - y[0]
            point = point - gap * slope / slope.square().sum()
        return point

    normal = (arm.lengths * phi.sin())[:, None]
    along = torch.linalg.qr(normal, mode="complete").Q[:, 1:].T
    step = 1e-3
    around = [
        q(back(phi + step * (along[0] * c + along[1] * s)))
        for c, s in [(torch.cos(t), torch.sin(t)) for t in torch.arange(0, 6.28, 0.2618)]
    ]
    return bool(torch.stack(around).min() > q(back(phi)))


CASES = [("sum", i) for i in range(5)] + [("difference", i) for i in range(2)]


@pytest.mark.parametrize(("convention", "number"), CASES)
def test_no_mode_is_missed(convention, number):
    arm = arm_of(convention)
    task = RoboticArm(RoboticArm.Config(convention=convention))
    y = task.pairs(40, generator(0, "arm-modes-test")).y[number]
    found = arm_minima(y[None], arm)[0]  # (M, 4)
    best = float(found[0].square().sum())
    points = all_kkt_points(arm, y, best + MARGIN)
    turn = arm.mix * arm.scale[1:]
    minima = []
    for phi in points:
        angles = torch.linalg.solve(turn, phi)
        height = (y[1] - (arm.lengths * phi.sin()).sum()) / arm.scale[0]
        z = torch.cat((height[None], angles))
        if z.square().sum() <= best + MARGIN and is_minimum(arm, y, phi):
            minima.append(z)
    assert len(minima) == len(found)
    assert torch.cdist(torch.stack(minima), found).amin(dim=0).max() < 1e-6


def test_modes_reach_the_target_and_are_in_order():
    task = RoboticArm()
    y = task.pairs(30, generator(1)).y
    z = arm_minima(y, arm_of("sum"))
    reached = task.simulate((z * SCALE).flatten(0, 1)).unflatten(0, z.shape[:2])
    known = ~z.isnan().any(dim=2)
    assert (reached - y[:, None])[known].abs().max() < 1e-12
    q = z.square().sum(dim=2).nan_to_num(nan=torch.inf)
    assert (q[:, 1:] >= q[:, :-1]).all()


def test_up_and_down_by_hand():
    """On the axis y2 = 0 the mirror image of a mode is one: turn all angles and the height."""
    z = arm_minima(torch.tensor([[1.5, 0.0]], dtype=torch.float64), arm_of("sum"))
    assert z.shape == (1, 2, 4)
    torch.testing.assert_close(z[0, 0], -z[0, 1], atol=1e-9, rtol=0)


def test_what_cannot_be_reached_has_none():
    task = RoboticArm()
    y = torch.tensor([[2.5, 0.0], [1.0, 0.3]], dtype=torch.float64)
    found = task.modes(y, torch.zeros(2, 3, 4, dtype=torch.float64))
    assert found.count[0] == 0 and found.count[1] > 0
    assert (found.label[0] == -1).all() and (found.label[1] >= 0).all()
    assert task.modes(y[:1], torch.zeros(1, 3, 4)).label.tolist() == [[-1, -1, -1]]


def test_a_design_belongs_to_the_nearest_mode():
    task = RoboticArm()
    y = torch.tensor([[1.5, 0.0]], dtype=torch.float64)
    z = arm_minima(y, arm_of("sum"))[0]
    x = torch.stack([z[0] * SCALE, z[1] * SCALE, 0.6 * z[1] * SCALE, torch.full((4,), torch.nan)])
    assert task.modes(y, x[None]).label.tolist() == [[0, 1, 1, -1]]
    assert task.modes(y.float(), x[None].float()).label.tolist() == [[0, 1, 1, -1]]


def test_modes_have_at_least_a_ten_thousandth_of_the_bests_density():
    """The density is e^(-q / 2) up to a factor."""
    assert math.exp(-MARGIN / 2) == pytest.approx(1e-4, rel=1e-12)
