"""Ballistics against an ODE solver, Lambert's W, hand calculations and finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest
import torch
from invcore_classic.ballistics import Ballistics, BallisticsConfig, flight_path, landing_position
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.special import lambertw
from torch import Tensor

G, K, M = 9.81, 0.25, 0.2
TAU = M / K


def prior(count: int) -> Tensor:
    return Ballistics().designs.sample(count, torch.Generator().manual_seed(3))


def awkward(count: int) -> Tensor:
    """Designs far from the prior, all with a landing: down, backwards, fast, from below."""
    unit = torch.rand(count, 4, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    low = torch.tensor([-2.0, 0.01, -1.6, -30.0], dtype=torch.float64)
    high = torch.tensor([2.0, 4.0, 1.6, 60.0], dtype=torch.float64)
    x = low + unit * (high - low)
    below = x.new_tensor([[0.0, -2.0, 1.2, 20.0], [0.0, -0.5, 0.5, 60.0]])
    return torch.cat([below, x])


def steep(count: int) -> Tensor:
    """Designs thrown down from high up, faster than the ball would ever fall by itself."""
    unit = torch.rand(count, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    low = torch.tensor([-2.0, 0.1, -1.55, 20.0], dtype=torch.float64)
    high = torch.tensor([2.0, 1000.0, -0.5, 700.0], dtype=torch.float64)
    return low + unit * (high - low)


def by_ode(x: list[float]) -> float:
    start, height, angle, speed = x
    state = [start, height, speed * math.cos(angle), speed * math.sin(angle)]

    def ground(_: float, s: list[float]) -> float:
        return s[1]

    ground.terminal, ground.direction = True, -1.0  # type: ignore[attr-defined]
    flight = solve_ivp(
        lambda _, s: [s[2], s[3], -K * s[2] / M, -K * s[3] / M - G],
        (0.0, 60.0),
        state,
        method="DOP853",
        events=ground,
        rtol=1e-12,
        atol=1e-12,
        max_step=0.1,
    )
    return float(flight.y_events[0][-1][0])


def landing_time(x: Tensor) -> Tensor:
    """Lambert's W, in units of τ; accurate where the ball does not just graze the ground."""
    up = x[:, 3] * torch.sin(x[:, 2]) / (G * TAU)
    c = x[:, 1] / (G * TAU**2) + 1 + up
    return c + torch.from_numpy(lambertw((-(1 + up) * torch.exp(-c)).numpy()).real)


@pytest.mark.parametrize("designs", [prior, awkward])
def test_against_an_ode_solver(designs: Callable[[int], Tensor]) -> None:
    x = designs(24)
    wanted = [by_ode(row) for row in x.tolist()]
    assert landing_position(x)[:, 0].tolist() == pytest.approx(wanted, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("designs", [prior, awkward, steep])
def test_against_lambert_w(designs: Callable[[int], Tensor]) -> None:
    x = designs(5000)
    x = x[x[:, 1].abs() > 0.01]
    reach = x[:, 3] * torch.cos(x[:, 2]) * TAU * -torch.expm1(-landing_time(x))
    torch.testing.assert_close(landing_position(x)[:, 0], x[:, 0] + reach, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("speed", [1e3, 1e5, 1e7])
@pytest.mark.parametrize("share", [0.5, 0.999, 1.0, 1.5])
def test_thrown_down_at_cosmic_speed(speed: float, share: float) -> None:
    # From about as high as drag lets it get by itself, the slowest case for Newton's method.
    height = share * speed * math.sin(1.0) * TAU

    def above_ground(s: float) -> float:
        down = speed * math.sin(1.0) * TAU - G * TAU**2
        return height + down * math.expm1(-s) - G * TAU**2 * s

    s = brentq(above_ground, 0.0, 1.0 + height / (G * TAU**2), xtol=1e-13, rtol=1e-14)
    got = landing_position(torch.tensor([[0.0, height, -1.0, speed]], dtype=torch.float64))
    assert got.item() == pytest.approx(speed * math.cos(1.0) * TAU * -math.expm1(-s), rel=1e-9)


def test_without_drag_it_is_a_parabola() -> None:
    x = prior(500)
    up, along = x[:, 3] * torch.sin(x[:, 2]), x[:, 3] * torch.cos(x[:, 2])
    time = (up + (up**2 + 2 * G * x[:, 1]).sqrt()) / G
    got = Ballistics(BallisticsConfig(drag=1e-11)).simulate(x)[:, 0]
    torch.testing.assert_close(got, x[:, 0] + along * time, rtol=1e-8, atol=1e-8)


def test_a_ball_that_lands_after_six_seconds_still_lands() -> None:
    x = torch.tensor([[0.0, 1.5, 1.4, 80.0]], dtype=torch.float64)
    assert landing_time(x).item() * TAU > 6.0
    assert landing_position(x).item() == pytest.approx(by_ode(x[0].tolist()), rel=1e-8)


def test_extreme_speeds_reach_what_drag_allows() -> None:
    speeds = torch.logspace(3, 12, 10, dtype=torch.float64)
    x = torch.stack([torch.full_like(speeds, v) for v in (0.0, 1.5, 0.5)] + [speeds], dim=1)
    torch.testing.assert_close(landing_position(x)[:, 0], speeds * math.cos(0.5) * TAU)
    x[:, 2] = -0.5  # so fast that it is a straight line down
    wanted = torch.full_like(speeds, 1.5 / math.tan(0.5))
    torch.testing.assert_close(landing_position(x)[:, 0], wanted, rtol=1e-3, atol=0)


# torch's own forward mode calls what torch has deprecated
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
@pytest.mark.parametrize("designs", [prior, awkward])
def test_first_and_second_derivatives(designs: Callable[[int], Tensor]) -> None:
    at_zero = torch.tensor([[0.0, 1.0, 0.0, 7.0], [0.0, 1.0, 0.7, 0.0]], dtype=torch.float64)
    x = torch.cat([designs(4), at_zero]).requires_grad_()
    assert torch.autograd.gradcheck(landing_position, x, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(landing_position, x, atol=1e-4)


def test_gradient_against_wide_finite_differences() -> None:
    x = prior(50)
    gradient = torch.func.grad(lambda z: landing_position(z).sum())(x)
    for column in range(4):
        step = torch.zeros(4, dtype=torch.float64)
        step[column] = 1e-5
        slope = (landing_position(x + step) - landing_position(x - step))[:, 0] / 2e-5
        torch.testing.assert_close(gradient[:, column], slope, rtol=1e-6, atol=1e-6)


BAD = [
    [0.0, -0.1, 0.7, 0.0],  # below the ground, at rest
    [0.0, -0.1, -0.7, 9.0],  # below and thrown down
    [0.0, -5.0, 0.7, 3.0],  # below, and the apex too
    [math.nan, 1.0, 0.7, 9.0],
    [0.0, math.nan, 0.7, 9.0],
    [0.0, 1.0, math.nan, 9.0],
    [0.0, 1.0, math.inf, 9.0],
    [0.0, 1.0, 0.7, math.inf],
]


def test_no_landing_is_nan_and_spoils_no_gradient() -> None:
    good = prior(5).requires_grad_()
    bad = torch.tensor(BAD, dtype=torch.float64, requires_grad=True)
    y = landing_position(torch.cat([bad, good]))
    assert y[: len(bad)].isnan().all()
    assert y[len(bad) :].isfinite().all()
    y[len(bad) :].sum().backward()
    assert good.grad is not None
    alone = torch.func.grad(lambda z: landing_position(z).sum())(good.detach())
    torch.testing.assert_close(good.grad, alone)
    assert bad.grad is not None
    assert (bad.grad == 0).all()
    (whole,) = torch.autograd.grad(landing_position(bad).nansum(), bad)
    assert (whole == 0).all()


def test_at_rest_and_on_the_ground() -> None:
    x = torch.tensor(
        [[0.4, 2.0, 0.7, 0.0], [0.4, 0.0, 0.7, 0.0], [0.4, 0.0, -0.7, 9.0], [0.4, 0.0, 0.0, 9.0]],
        dtype=torch.float64,
        requires_grad=True,
    )
    y = landing_position(x)
    assert y[:, 0].tolist() == [0.4] * 4
    (gradient,) = torch.autograd.grad(y.sum(), x)
    drop = 2.0 / (G * TAU**2)
    time = drop + 1 + float(lambertw(-math.exp(-drop - 1)).real)
    per_speed = math.cos(0.7) * TAU * -math.expm1(-time)
    assert gradient[0].tolist() == pytest.approx([1.0, 0.0, 0.0, per_speed])
    assert gradient[1].tolist() == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("height", [0.0, 1e-30, 1e-3, 1.5])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_tiny_speeds_have_finite_gradients(height: float, sign: float) -> None:
    speeds = sign * torch.logspace(-300, -1, 300, dtype=torch.float64)
    x = torch.stack([torch.full_like(speeds, v) for v in (0.0, height, 0.7)] + [speeds], dim=1)
    y, vjp = torch.func.vjp(landing_position, x)
    (gradient,) = vjp(torch.ones_like(y))
    assert y.isfinite().all()
    # Moving up lengthens the hop by cot(angle) at most: the limit of a slow throw from the ground.
    assert (gradient[:, 1].abs() <= 1.0 / math.tan(0.7) * 1.2).all()
    assert gradient.isfinite().all()


def test_absurd_designs_have_finite_gradients() -> None:
    x = torch.tensor([[0.0, 1e80, 0.7, 9.0], [0.0, 1.5, 0.7, 1e80]], dtype=torch.float64)
    y, vjp = torch.func.vjp(landing_position, x)
    assert y[0].item() == pytest.approx(9.0 * math.cos(0.7) * TAU)
    assert vjp(torch.ones_like(y))[0].isfinite().all()


def test_short_hops_keep_their_relative_accuracy() -> None:
    speeds = torch.logspace(-12, -6, 7, dtype=torch.float64)
    x = torch.stack([torch.full_like(speeds, v) for v in (0.0, 0.0, 0.7)] + [speeds], dim=1)
    wanted = speeds**2 * math.sin(1.4) / G
    torch.testing.assert_close(landing_position(x)[:, 0], wanted, rtol=1e-6, atol=0)


@pytest.mark.parametrize("rise", [0.0, 1e-3, 5e-3, 0.00999, 0.0101, 0.05])
@pytest.mark.parametrize("fall", [2e-3, 0.00999, 0.0101, 0.012, 0.06])
def test_short_flights_against_forty_digits(rise: float, fall: float) -> None:
    """Flights of known length, in τ: where and how fast they begin, in numbers of forty digits.
    Those that rise for longer than they fall begin below the ground.
    """
    with localcontext(prec=40):
        a, r, scale = Decimal(rise), Decimal(fall), Decimal(G) * Decimal(TAU) ** 2
        height = scale * (((-r).exp() - 1 + r) - (a.exp() - 1 - a))
        speed = (a.exp() - 1) * Decimal(G) * Decimal(TAU) / Decimal(math.sin(0.7))
        reach = speed * Decimal(math.cos(0.7)) * Decimal(TAU) * (1 - (-(a + r)).exp())
    x = torch.tensor([[0.0, float(height), 0.7, float(speed)]], dtype=torch.float64)
    assert landing_position(x).item() == pytest.approx(float(reach), rel=1e-12)
    assert flight_path(x)[0, -1, 0].item() == pytest.approx(float(reach), rel=1e-12)
