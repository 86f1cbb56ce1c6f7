"""When two rolling balls touch: the first root of a quartic polynomial, found for certain."""

import torch
from torch import Tensor

_STEPS = 128  # at most; bisection alone needs 53, and no Newton step is slower than halving
_EXACT = 1e-16  # of the time that is looked at
_LOOK = 8  # steps between looks at whether all roots are found


def first_contact(
    gap: Tensor, velocity: Tensor, acceleration: Tensor, reach: float, horizon: Tensor
) -> Tensor:
    """Compute when two balls first touch while their relative acceleration is constant.

    The root of f(t) = |gap + velocity t + acceleration t² / 2|² - reach² where f first turns from
    positive to negative. f' is monotone between the roots of f'' (closed form), f is monotone
    between the roots of f', and on a monotone stretch a safeguarded Newton method cannot miss: no
    root is skipped, however close two of them are. Balls that touch already count from when they
    come nearer.

    Args:
        gap: from one ball's centre to the other's (K, 2), float64.
        velocity: of the one relative to the other (K, 2).
        acceleration: the same (K, 2).
        reach: the distance of the centres when the balls touch.
        horizon: how far to look ahead (K,), positive and finite.

    Returns:
        Times (K,) in [0, horizon], infinite where the balls do not touch. Without a gradient.

    Example:
        >>> gap, still = torch.tensor([[3.0, 0.0]]).double(), torch.zeros(1, 2).double()
        >>> first_contact(gap, -gap, still, 1.0, torch.tensor([2.0]).double())
        tensor([0.6667], dtype=torch.float64)
    """
    with torch.no_grad():
        half = acceleration / 2
        f = (  # in shares of the horizon, lowest order first
            gap.square().sum(dim=1) - reach**2,
            2 * (gap * velocity).sum(dim=1) * horizon,
            (velocity.square() + 2 * gap * half).sum(dim=1) * horizon**2,
            2 * (velocity * half).sum(dim=1) * horizon**3,
            half.square().sum(dim=1) * horizon**4,
        )
        slope = tuple(order * c for order, c in enumerate(f))[1:]
        bend = tuple(order * c for order, c in enumerate(slope))[1:]
        zero, one = torch.zeros_like(horizon), torch.ones_like(horizon)
        ends = torch.stack([zero, *_quadratic_roots(*bend), one], dim=1)
        turns = _monotone_root(tuple(c[:, None] for c in slope), ends[:, :-1], ends[:, 1:])
        ends = torch.cat([zero[:, None], turns, one[:, None]], dim=1)  # (K, 5)
        value = _values(tuple(c[:, None] for c in f), ends)
        before, after = value[:, :-1], value[:, 1:]
        falls = (after < before) & (after <= 0)
        first = falls.to(torch.uint8).argmax(dim=1, keepdim=True)  # the first of those that do
        start, end, level = (
            part.gather(1, first)[:, 0] for part in (ends[:, :-1], ends[:, 1:], before)
        )
        share = torch.where(level > 0, _monotone_root(f, start, end), start)
        return torch.where(falls.any(dim=1), share * horizon, torch.inf)


def _quadratic_roots(c: Tensor, b: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    """The roots of c + b x + a x² cut to [0, 1], in order; 1 for those that do not exist."""
    sign = torch.where(b >= 0, 1.0, -1.0).to(b)
    q = -0.5 * (b + sign * (b * b - 4 * a * c).sqrt())  # NaN without roots; no cancellation
    one, two = (
        (top / below).nan_to_num(1.0, 1.0, 0.0).clamp(0, 1) for top, below in ((q, a), (c, q))
    )
    return torch.minimum(one, two), torch.maximum(one, two)


def _values(c: tuple[Tensor, ...], x: Tensor) -> Tensor:
    """The polynomial with these coefficients, lowest order first."""
    value = c[-1].expand_as(x)
    for part in reversed(c[:-1]):
        value = value * x + part
    return value


def _monotone_root(c: tuple[Tensor, ...], low: Tensor, high: Tensor) -> Tensor:
    """The root of a polynomial that is monotone between two ends; the nearer end without one.

    Newton's method, with a bisection where it would leave the bracket or shrink too slowly.

    References:
        Press et al., Numerical Recipes, section 9.4
    """
    first, final = _values(c, low), _values(c, high)
    crosses = (first <= 0) != (final <= 0)
    sign = torch.where(final > first, 1.0, -1.0).to(low)
    slope = tuple(order * part for order, part in enumerate(c))[1:]
    nearer = torch.where(first.abs() < final.abs(), low, high)
    x = torch.where(crosses, (low + high) / 2, nearer)
    last = torch.where(crosses, high - low, 0.0)
    for step in range(_STEPS):
        value = sign * _values(c, x)
        low, high = torch.where(value < 0, x, low), torch.where(value < 0, high, x)
        newton = x - value / (sign * _values(slope, x))
        good = (newton >= low) & (newton <= high) & (2 * (newton - x).abs() <= last)
        exact = last <= _EXACT  # these stay: a bisection would throw them off again
        moved = torch.where(exact, x, torch.where(good, newton, (low + high) / 2))
        last = torch.where(exact, last, (moved - x).abs())
        x = moved
        if step % _LOOK == _LOOK - 1 and bool((last <= _EXACT).all()):
            break
    return x
