"""BFGS and L-BFGS against SciPy's, and against themselves alone."""

import numpy as np
import pytest
import torch
from invcore_optimisers import (
    BFGSConfig,
    LBFGSConfig,
    Reason,
    minimise_bfgs,
    minimise_lbfgs,
)
from scipy.optimize import minimize

from .conftest import Quadratics, rosenbrock, starts

NAMES = ("rosenbrock-2", "rosenbrock-10", "beale", "quadratics")
BOTH = pytest.mark.parametrize(
    ("minimise", "config"), [(minimise_bfgs, BFGSConfig), (minimise_lbfgs, LBFGSConfig)]
)


def by_scipy(by_hand, start, method, **options):
    """SciPy's answers, one problem after another."""
    return [
        minimize(by_hand, z.numpy(), args=(row,), jac=True, method=method, options=options)
        for row, z in enumerate(start)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_bfgs_takes_the_steps_of_scipy(objectives, name):
    objective, by_hand, start = objectives[name]
    found = minimise_bfgs(objective, start, BFGSConfig(steps=2000))
    known = by_scipy(by_hand, start, "BFGS")
    good = np.array([k.success for k in known])
    assert good.sum() >= 0.9 * len(good)
    assert bool(found.converged[torch.tensor(good)].all())
    x = torch.tensor(np.stack([k.x for k in known]))[good]
    torch.testing.assert_close(found.x[good], x, rtol=0, atol=1e-6)
    ratio = found.evaluations[good] / torch.tensor([float(k.nfev) for k in known])[good]
    assert bool((ratio - 1).abs().le(0.1).all())


@pytest.mark.parametrize("name", NAMES)
def test_lbfgs_finds_what_scipy_finds(objectives, name):
    objective, by_hand, start = objectives[name]
    found = minimise_lbfgs(objective, start, LBFGSConfig(steps=5000, gtol=1e-8))
    known = by_scipy(by_hand, start, "L-BFGS-B", gtol=1e-8, ftol=0.0, maxfun=10**5, maxiter=10**5)
    assert bool(found.converged.all())
    # The search differs: of several minima a start may find another
    values = torch.tensor([float(k.fun) for k in known])
    agree = (found.value - values).abs() < 1e-6
    assert float(agree.double().mean()) >= 0.85
    x = torch.tensor(np.stack([k.x for k in known]))
    torch.testing.assert_close(found.x[agree], x[agree], rtol=0, atol=1e-6)
    ratio = float(found.evaluations.double().mean() / np.mean([k.nfev for k in known]))
    assert 0.5 < ratio < 2.0


@BOTH
def test_a_batch_gives_what_single_problems_give(minimise, config):
    objective, start = Quadratics(12, 5), starts(12, 5)
    together = minimise(objective, start, config(gtol=1e-7))
    for row in range(12):
        alone = minimise(lambda z, rows, row=row: objective(z, rows + row), start[row : row + 1],
                         config(gtol=1e-7))  # fmt: skip
        torch.testing.assert_close(alone.x[0], together.x[row], rtol=0, atol=1e-10)
        assert alone.evaluations[0] == together.evaluations[row]
        assert alone.steps[0] == together.steps[row]


@BOTH
def test_many_calls_of_few_rows_change_nothing(minimise, config):
    start = starts(10, 2)
    seen = []

    def watched(z, rows):
        seen.append(len(z))
        return rosenbrock(z, rows)

    few = minimise(watched, start, config(rows_at_once=3))
    assert max(seen) == 3
    torch.testing.assert_close(few.x, minimise(rosenbrock, start, config()).x, rtol=0, atol=1e-12)


@BOTH
def test_done_problems_leave_the_batch(minimise, config):
    sizes = []

    def watched(z, rows):
        sizes.append(len(z))
        return rosenbrock(z, rows)

    found = minimise(watched, starts(30, 2), config())
    assert sum(sizes) == int(found.evaluations.sum())
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == int(found.evaluations.max())


@BOTH
def test_a_region_without_values_is_a_wall(minimise, config):
    # The minimum at 0.5 lies near the end of where the logarithm is a number
    def walled(z, rows):
        x = z[:, 0]
        return x - 0.5 * x.log() + 10 * (z[:, 1] - x).square()

    start = torch.tensor([[3.0, -1.0], [0.01, 4.0], [20.0, 20.0], [-1.0, 0.0]]).double()
    found = minimise(walled, start, config(gtol=1e-8))
    expected = torch.full((3, 2), 0.5, dtype=torch.float64)
    torch.testing.assert_close(found.x[:3], expected, rtol=0, atol=1e-6)
    assert found.reason.tolist() == [Reason.CONVERGED] * 3 + [Reason.NO_VALUE]
    assert found.value[3] == torch.inf and torch.equal(found.x[3], start[3])
    assert found.evaluations[3] == 1


@BOTH
def test_a_gradient_that_is_no_number_is_a_wall_too(minimise, config):
    # A root has a value at 0, and an infinite slope there
    def rooted(z, rows):
        return (z.sqrt() - 1).square().sum(dim=1)

    found = minimise(rooted, torch.tensor([[4.0], [0.0]]).double(), config())
    assert abs(float(found.x[0, 0]) - 1.0) < 1e-4
    assert found.reason.tolist() == [Reason.CONVERGED, Reason.NO_VALUE]


@BOTH
def test_already_there_and_flat(minimise, config):
    start = torch.tensor([[1.0, 1.0], [-1.0, 2.0]]).double()
    found = minimise(rosenbrock, start[:1], config())
    assert (int(found.steps[0]), int(found.evaluations[0])) == (0, 1)
    assert torch.equal(found.x, start[:1])
    for flat in (lambda z, rows: 0 * z.sum(dim=1) + 3, lambda z, rows: torch.ones(len(z)).double()):
        still = minimise(flat, start, config())
        assert still.reason.tolist() == [Reason.CONVERGED] * 2
        assert torch.equal(still.x, start)


@BOTH
def test_a_wrong_gradient_is_stuck_and_few_steps_are_said(minimise, config):
    def uphill(z, rows):
        return z.square().sum(1).detach() + (-z).sum(1) - (-z).sum(1).detach()

    start = starts(3, 2) + 5
    found = minimise(uphill, start, config())
    assert bool((found.reason == Reason.STUCK).all())
    assert torch.equal(found.x, start)
    short = minimise(rosenbrock, starts(5, 2), config(steps=3))
    assert short.reason.tolist() == [Reason.STEPS] * 5 and short.steps.tolist() == [3] * 5
    none = minimise(rosenbrock, starts(5, 2), config(steps=0))
    assert torch.equal(none.x, starts(5, 2)) and none.evaluations.tolist() == [1] * 5


@BOTH
def test_arguments_and_empty_batches(minimise, config):
    start = starts(4, 2)
    before = start.clone()
    minimise(rosenbrock, start, config())
    assert torch.equal(start, before)
    assert minimise(rosenbrock, start[:0], config()).x.shape == (0, 2)


@BOTH
def test_the_history_is_that_of_the_values(minimise, config):
    seen = []

    def watched(z, rows):
        value = rosenbrock(z, rows)
        seen.append((rows, value.detach().clone()))
        return value

    start = starts(6, 2)
    found = minimise(watched, start, config(history=10_000))
    history = found.history
    assert history.best.shape == (len(seen), 6)
    assert history.evaluations.tolist() == list(range(1, len(seen) + 1))
    counts = torch.tensor([len(rows) for rows, _ in seen]).cumsum(0)
    assert torch.equal(history.values, counts) and torch.equal(history.gradients, counts)
    assert torch.equal(history.best[-1], found.value)
    assert bool((history.best.diff(dim=0) <= 0).all())
    # Never below the best of all that was evaluated up to then
    best = torch.full((6,), torch.inf, dtype=torch.float64)
    for (rows, value), row in zip(seen, history.best, strict=True):
        best[rows] = torch.minimum(best[rows], value)
        assert bool((row >= best).all())
    thin = minimise(rosenbrock, start, config(history=8)).history
    assert 4 <= len(thin.best) <= 9
    assert torch.equal(thin.best[-1], found.value)
    assert minimise(rosenbrock, start, config()).history is None


def test_bfgs_with_the_first_scale_of_the_book_finds_the_same():
    objective, start = Quadratics(10, 6), starts(10, 6)
    found = minimise_bfgs(objective, start, BFGSConfig(scale_first=True, gtol=1e-8))
    torch.testing.assert_close(found.x, objective.centre, rtol=0, atol=1e-6)


def test_bfgs_ends_within_as_many_steps_as_variables_on_a_quadratic_with_exact_searches():
    # Nocedal and Wright, theorem 6.4: with exact line searches BFGS is conjugate gradients
    objective, start = Quadratics(10, 4), starts(10, 4)
    found = minimise_bfgs(
        objective, start, BFGSConfig(c1=1e-12, c2=1e-9, search_steps=100, gtol=1e-6)
    )
    assert int(found.steps.max()) <= 5
    assert bool(found.converged.all())
