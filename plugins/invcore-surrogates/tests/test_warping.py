"""Curves beside features: what they are, when a process takes them, and what it stores."""

from __future__ import annotations

import pytest
import torch
from invcore_surrogates.process import ProcessSurrogate
from invcore_surrogates.process_rows import ProcessConfig
from invcore_surrogates.warping import Warp

from invcore.plugin import (
    Categorical,
    FitEnvironment,
    Pairs,
    Periodic,
    Problem,
    Space,
    Uniform,
    Variable,
)

DRAWS = torch.Generator().manual_seed(0)


def problem(count: int, *more: Variable, **facts) -> Problem:
    prior = Uniform(low=0.0, high=1.0)
    numbers = (Variable(name=f"x{i}", prior=prior) for i in range(count))
    return Problem("rows", Space.of(*numbers, *more, **facts), Space.of(Variable(name="y")))


def steep(x: torch.Tensor) -> torch.Tensor:
    """Fast near 0, slow beyond."""
    return (2 * (x[:, :1] + 0.003).log()).sin() + x[:, 1:2]


def fitted(pairs: Pairs, warp: str = "auto", of: Problem | None = None):
    surrogate = ProcessSurrogate(ProcessConfig(warp=warp))
    return surrogate.fit(of or problem(pairs.x.shape[1]), pairs, FitEnvironment())


def test_curves_rise_everywhere_and_stay_finite():
    x = torch.rand(40, 2, generator=DRAWS).double()
    warp = Warp.of(x, torch.tensor([True, True]))
    line = torch.linspace(-1e3, 1e3, 2001).double()[:, None].expand(-1, 2)
    curves = warp(line)
    assert curves.shape == (2001, 6)
    assert bool((curves.diff(dim=0) > 0).all()) and bool(curves.isfinite().all())
    assert float(curves[:, 2:].abs().max()) < 50


def test_what_is_no_number_or_hardly_varies_has_no_curves():
    x = torch.rand(40, 3, generator=DRAWS).double()
    x[:, 1] = (x[:, 1] > 0.5).double()
    assert Warp.of(x, torch.tensor([True, True, False])).columns.tolist() == [0]
    assert Warp.of(x[:, 1:2], torch.tensor([True])) is None


def test_categories_and_angles_have_no_curves():
    kind = Variable(name="kind", prior=Categorical(categories=("a", "b", "c")))
    turn = Variable(name="turn", prior=Uniform(low=0.0, high=360.0))
    around = Periodic(variable="turn", low=0.0, high=360.0)
    space = problem(1, kind, turn, constraints=(around,))
    x = torch.rand(40, 3, generator=DRAWS).double() * torch.tensor([1.0, 3.0, 360.0])
    x[:, 1] = x[:, 1].floor()
    found = fitted(Pairs(x, x[:, :1].sqrt()), "log", space)
    assert found.warp.columns.tolist() == [0]
    assert not found.gradient(x)[:, :, 1].any()


def test_a_response_that_is_fast_at_one_end_calls_for_curves():
    x = torch.rand(200, 2, generator=DRAWS).double() ** 3
    new = torch.rand(200, 2, generator=DRAWS).double() ** 3
    pairs = Pairs(x, steep(x))
    plain, auto = fitted(pairs, "none"), fitted(pairs)
    assert plain.warp is None and auto.warp is not None
    errors = [float((f.predict(new).mean - steep(new)).abs().mean()) for f in (plain, auto)]
    assert errors[1] < 0.7 * errors[0]


@pytest.mark.parametrize("count", [40, 320])
def test_a_smooth_response_loses_little_by_the_choice(count):
    x, new = (torch.rand(n, 2, generator=DRAWS).double() for n in (count, 200))
    y, true = ((4 * points).sin().sum(dim=1, keepdim=True) for points in (x, new))
    off = [
        (fitted(Pairs(x, y), warp).predict(new).mean - true).square().mean().sqrt()
        for warp in ("auto", "none")
    ]
    assert off[0] < 2 * off[1] + 1e-6


def test_slopes_are_those_of_the_means_even_at_an_end():
    x = torch.rand(60, 2, generator=DRAWS).double()
    found = fitted(Pairs(x, steep(x)), "log")
    at = torch.cat([x[:5], x.amin(dim=0)[None], x.amax(dim=0)[None]]).clamp(0.01, 0.99)
    slope = found.gradient(at)[:, 0]
    for i in (0, 1):
        step = torch.zeros(2).double()
        step[i] = 1e-5
        ahead, behind = (found.predict(at + sign * step).mean[:, 0] for sign in (1, -1))
        torch.testing.assert_close(slope[:, i], (ahead - behind) / 2e-5, rtol=1e-3, atol=1e-3)


def test_it_is_restored_with_its_curves_and_predicts_beyond_the_rows():
    x = 0.4 + 0.2 * torch.rand(60, 2, generator=DRAWS).double()
    found = fitted(Pairs(x, steep(x)), "log")
    again = ProcessSurrogate().restore(problem(2), found.state())
    far = torch.rand(50, 2, generator=DRAWS).double() * 4 - 2
    first, second = found.predict(far), again.predict(far)
    assert torch.equal(first.mean, second.mean) and torch.equal(first.variance, second.variance)
    assert bool(first.mean.isfinite().all()) and float(first.mean.abs().max()) < 20


def test_rows_held_out_are_predicted_with_the_curves_of_the_whole():
    x = torch.rand(120, 2, generator=DRAWS).double() ** 3
    surrogate, pairs = ProcessSurrogate(), Pairs(x, steep(x))
    said = surrogate.held_out(problem(2), pairs, FitEnvironment(), torch.arange(120) % 5)
    plain = ProcessSurrogate(ProcessConfig(warp="none")).held_out(
        problem(2), pairs, FitEnvironment(), torch.arange(120) % 5
    )
    errors = [float((each.mean - pairs.y).square().mean()) for each in (said, plain)]
    assert errors[0] < errors[1]
