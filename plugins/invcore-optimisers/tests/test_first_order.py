"""Adam against torch's, gradient descent against its own rules."""

import pytest
import torch
from invcore_optimisers import (
    AdamConfig,
    GradientDescentConfig,
    Reason,
    Recorder,
    minimise_adam,
    minimise_gradient_descent,
)

from .conftest import Quadratics, beale, rosenbrock, starts

BOTH = pytest.mark.parametrize(
    ("minimise", "config"),
    [(minimise_adam, AdamConfig), (minimise_gradient_descent, GradientDescentConfig)],
)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_adam_sees_the_values_of_torchs(schedule):
    objective, start = Quadratics(5, 4), starts(5, 4)
    rows = torch.arange(5)
    settings = AdamConfig(steps=60, rate=0.1, schedule=schedule, history=1000, gtol=0.0)
    found = minimise_adam(objective, start, settings)

    x = start.clone().requires_grad_()
    theirs = torch.optim.Adam([x], lr=0.1)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(theirs, 60)
    best = [objective(x, rows).detach()]
    for _ in range(60):
        theirs.zero_grad()
        objective(x, rows).sum().backward()
        theirs.step()
        if schedule == "cosine":
            fall.step()
        best.append(torch.minimum(best[-1], objective(x, rows).detach()))
    torch.testing.assert_close(found.history.best, torch.stack(best), rtol=1e-9, atol=1e-12)
    assert torch.equal(found.value, found.history.best[-1])
    torch.testing.assert_close(objective(found.x, rows), found.value)
    assert found.evaluations.tolist() == [61] * 5


def test_a_fixed_step_is_the_gradient_times_the_rate():
    centre = torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64)
    start = torch.zeros_like(centre)
    settings = GradientDescentConfig(step="fixed", rate=0.1, steps=7, gtol=0.0)
    found = minimise_gradient_descent(
        lambda z, rows: (z - centre[rows]).square().sum(1), start, settings
    )
    # Every step leaves 0.8 of the way
    torch.testing.assert_close(found.x, centre * (1 - 0.8**7))
    assert found.reason.tolist() == [Reason.STEPS] * 2 and found.evaluations.tolist() == [8] * 2


def test_a_fixed_step_that_is_too_long_keeps_the_best_point():
    start = torch.ones(1, 1, dtype=torch.float64)
    settings = GradientDescentConfig(step="fixed", rate=1.5, steps=5)
    found = minimise_gradient_descent(lambda z, rows: z.square().sum(1), start, settings)
    assert torch.equal(found.x, start)  # -2, 4, -8, ...


def test_armijos_rule_holds_for_every_step_and_the_half_step_was_not_taken_early():
    seen = []

    def watched(z, rows):
        value = rosenbrock(z, rows)
        seen.append((float(value.detach()), z.detach().clone()))
        return value

    settings = GradientDescentConfig(steps=30, c1=1e-4)
    minimise_gradient_descent(watched, starts(1, 2), settings)
    value, x = seen[0]
    for new, z in seen[1:]:
        point = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(rosenbrock(point, None).sum(), point)
        rate = float(((x - z) * slope).sum() / slope.square().sum())
        torch.testing.assert_close(z, x - rate * slope)
        if new <= value - 1e-4 * rate * float(slope.square().sum()):
            value, x = new, z
    assert value < seen[0][0]


def test_the_minimum_is_found():
    objective, start = Quadratics(10, 4, digits=1.5), starts(10, 4)
    descent = minimise_gradient_descent(
        objective, start, GradientDescentConfig(steps=2000, gtol=1e-7)
    )
    assert bool(descent.converged.all())
    torch.testing.assert_close(descent.x, objective.centre, rtol=0, atol=1e-5)
    adam = minimise_adam(objective, start, AdamConfig(steps=600, rate=0.05))
    torch.testing.assert_close(adam.x, objective.centre, rtol=0, atol=5e-3)


@BOTH
def test_a_batch_gives_what_single_problems_give(minimise, config):
    start = starts(6, 2, width=1.0)
    together = minimise(beale, start, config(steps=50))
    for row in range(6):
        alone = minimise(beale, start[row : row + 1], config(steps=50))
        torch.testing.assert_close(alone.x[0], together.x[row], rtol=0, atol=1e-12)
        assert alone.evaluations[0] == together.evaluations[row]
        assert alone.reason[0] == together.reason[row]


@BOTH
def test_a_region_without_values_is_left_again(minimise, config):
    def walled(z, rows):
        return (z - 0.3 * z.log()).sum(1)

    start = torch.tensor([[3.0], [0.01], [-1.0]]).double()
    found = minimise(walled, start, config(steps=1000, rate=0.5, gtol=1e-6))
    torch.testing.assert_close(found.x[:2], torch.full((2, 1), 0.3).double(), rtol=0, atol=1e-4)
    assert found.reason[2] == Reason.NO_VALUE and found.value[2] == torch.inf


@BOTH
def test_already_there_flat_few_steps_and_none(minimise, config):
    start = torch.tensor([[1.0, 1.0], [-1.0, 2.0]]).double()
    found = minimise(rosenbrock, start, config(steps=3))
    assert found.reason.tolist() == [Reason.CONVERGED, Reason.STEPS]
    assert found.evaluations[0] == 1 and torch.equal(found.x[0], start[0])
    still = minimise(lambda z, rows: 0 * z.sum(1), start, config())
    assert bool(still.converged.all())
    none = minimise(rosenbrock, start, config(steps=0))
    assert torch.equal(none.x, start) and none.evaluations.tolist() == [1, 1]
    assert minimise(rosenbrock, start[:0], config()).x.shape == (0, 2)


@BOTH
def test_counts_and_values_are_those_of_the_calls(minimise, config):
    calls = []

    def watched(z, rows):
        calls.extend(rows.tolist())
        return rosenbrock(z, rows)

    start = starts(5, 2)
    found = minimise(watched, start, config(steps=40, history=100))
    assert found.evaluations.tolist() == torch.tensor(calls).bincount(minlength=5).tolist()
    assert found.history.values[-1] == len(calls)
    assert bool((found.history.best.diff(dim=0) <= 0).all())
    torch.testing.assert_close(rosenbrock(found.x, None), found.value)
    point = found.x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(rosenbrock(point, None).sum(), point)
    torch.testing.assert_close(slope.abs().amax(1), found.gradient_norm)


def test_gradient_descent_is_stuck_where_the_gradient_is_wrong():
    def uphill(z, rows):
        return z.square().sum(1).detach() + (-z).sum(1) - (-z).sum(1).detach()

    start = starts(3, 2) + 5
    found = minimise_gradient_descent(uphill, start)
    assert bool((found.reason == Reason.STUCK).all()) and torch.equal(found.x, start)


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_no_more_records_than_asked_for(limit):
    recorder = Recorder(limit)
    for count in range(30):
        recorder.add(torch.zeros(2), count, count, 0)
        kept = recorder.history().evaluations
        assert len(kept) <= limit and int(kept[-1]) == count
