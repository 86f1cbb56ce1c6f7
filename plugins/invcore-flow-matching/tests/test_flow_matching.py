"""Flow matching as a method: known posteriors, open responses, contexts, restored models."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_flow_matching.config import FlowMatchingConfig
from invcore_flow_matching.method import FlowMatching

from invcore import Categorical, Normal, Space, Uniform, Variable
from invcore.plugin import (
    Answers,
    DataError,
    FitEnvironment,
    Pairs,
    Problem,
    Requirement,
    Specification,
    Targets,
    UnfitError,
    generator,
)

NORMAL = Space.of(*(Variable(name=n, prior=Normal(mean=1.0, std=2.0)) for n in "ab"))
SQUARE = Space.of(*(Variable(name=n, prior=Uniform(low=-1.0, high=1.0)) for n in "ab"))
ONE, TWO = Space.of(Variable(name="y")), Space.of(Variable(name="u"), Variable(name="v"))
NOISE = 0.5


def config(**settings):
    network = {"width": 64, "blocks": 2, "design_waves": 0, "response_waves": 0}
    training = {"epochs": 30, "batch_size": 128, "lr": 3e-3, "average": 0.99}
    given = {
        "network": network,
        "training": training,
        "steps": 12,
        "density": {"steps": 16},
        **settings,
    }
    return FlowMatchingConfig.resolve(given)


def fitted(designs, responses, pairs, seed=2, **settings):
    problem, count = Problem("made", designs, responses), len(pairs) * 4 // 5
    method = FlowMatching(config(**settings))
    return method, problem, method.fit(
        problem, pairs[:count], pairs[count:], FitEnvironment(seed=seed)
    )  # fmt: skip


def points(targets, count, dim=2, seed=1):
    rows = torch.rand(1, count, dim, generator=generator(seed), dtype=torch.float64)
    return rows.expand(targets, -1, -1).contiguous()


def observed(count=4000, seed=0):
    """u = a + noise and v = b + noise: normal posteriors that are known, of each by itself."""
    x = NORMAL.sample(count, generator(seed, "x"))
    noise = torch.randn(count, 2, generator=generator(seed, "n"), dtype=torch.float64)
    return Pairs(x, x + NOISE * noise)


def posterior(y):
    """Mean of one variable given its response, and its standard deviation."""
    precision = 1 / 4 + 1 / NOISE**2
    return (1.0 / 4 + y / NOISE**2) / precision, precision**-0.5


@pytest.fixture(scope="module")
def example():
    pairs = observed()
    y = pairs.y.clone()
    y[::5, 0] = torch.nan  # known in part
    y[1::10, 1] = torch.nan
    y[5] = torch.nan  # and not at all
    return fitted(NORMAL, TWO, Pairs(pairs.x, y), masked=0.3)


def test_density_is_nearly_the_posterior(example):
    held = observed(2000, seed=1)
    mean, std = posterior(held.y)
    exact = torch.distributions.Normal(mean, std).log_prob(held.x).sum(dim=1)
    found = example[2].log_density(Targets(held.y), held.x)
    assert found.dtype == torch.float64 and found.shape == (2000,)
    assert -0.02 < float((exact - found).mean()) < 0.06  # the divergence from the truth


def test_candidates_are_nearly_the_posterior(example):
    wanted = torch.tensor([[-1.0, 2.0], [3.0, 0.0]], dtype=torch.float64)
    x = example[2].propose(Targets(wanted), points(2, 4000)).x
    mean, std = posterior(wanted)
    torch.testing.assert_close(x.mean(1), mean, atol=0.12, rtol=0)
    torch.testing.assert_close(x.std(1), torch.full((2, 2), std).double(), atol=0.07, rtol=0)


def asked(*wanted):
    specifications = [
        Specification.of({n: Requirement.exact(v) for n, v in one.items()}) for one in wanted
    ]
    return Targets.of(specifications, TWO)


def test_open_responses_leave_the_prior(example):
    model, targets = example[2], asked({"u": 3.0}, {"v": -1.0}, {"u": 0.0, "v": 2.0})
    x = model.propose(targets, points(3, 4000)).x
    (first, own), (second, _) = posterior(3.0), posterior(-1.0)
    means, spreads = x.mean(1)[:2], x.std(1)[:2]
    expected = torch.tensor([[first, 1.0], [1.0, second]]).double()
    torch.testing.assert_close(means, expected, atol=0.2, rtol=0)
    expected = torch.tensor([[own, 2.0], [2.0, own]]).double()
    torch.testing.assert_close(spreads, expected, atol=0.2, rtol=0)
    held = observed(1000, seed=3)
    open_v = Targets.of(
        [Specification.of(u=Requirement.exact(u)) for u in held.y[:, 0].tolist()], TWO
    )
    mean, std = posterior(held.y[:, 0])
    exact = torch.distributions.Normal(mean, std).log_prob(held.x[:, 0])
    exact = exact + torch.distributions.Normal(1.0, 2.0).log_prob(held.x[:, 1])
    gap = float((exact - model.log_density(open_v, held.x)).mean())
    assert -0.02 < gap < 0.08


def test_intervals_are_refused_and_what_is_open_is_said(example):
    half = Specification.of(u=Requirement(low=0.0, high=1.0))
    with pytest.raises(UnfitError, match="exact value"):
        example[2].propose(Targets.of([half], TWO), points(1, 2))
    assert example[2].answers == FlowMatching.answers == Answers.PARTIAL
    none = fitted(NORMAL, TWO, observed(200), masked=0.0, training={"epochs": 1})[2]
    assert none.answers == Answers.EXACT


def test_restored_model_is_the_same(example):
    method, problem, model = example
    state = {k: v.clone() for k, v in model.state().items()}
    again = method.restore(problem, state)
    targets, held = asked({"u": 1.0}, {"u": 2.0, "v": 1.0}), observed(2, seed=4)
    assert torch.equal(*(m.propose(targets, points(2, 9)).x for m in (model, again)))
    assert torch.equal(*(m.log_density(targets, held.x) for m in (model, again)))


def test_fits_are_the_same_by_their_seed_alone():
    quick = {"training": {"epochs": 2, "batch_size": 128}}
    same, again, other = (
        fitted(NORMAL, TWO, observed(400), seed=seed, **quick)[2] for seed in (1, 1, 2)
    )
    targets = Targets(torch.zeros(1, 2))
    first, second, third = (m.propose(targets, points(1, 5)).x for m in (same, again, other))
    assert torch.equal(first, second) and not torch.equal(first, third)


@pytest.mark.parametrize("coordinates", ["normal", "linear"])
def test_density_of_a_ring_integrates_to_one(coordinates):
    x = SQUARE.sample(4000, generator(3))
    y = x.square().sum(1, keepdim=True)
    y = y + 0.05 * torch.randn(4000, 1, generator=generator(4), dtype=torch.float64)
    settings = {"coordinates": coordinates, "training": {"epochs": 10, "batch_size": 128}}
    model = fitted(SQUARE, ONE, Pairs(x, y), **settings)[2]
    side = torch.linspace(-1.5, 1.5, 71, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    density = model.log_density(Targets(torch.full((len(grid), 1), 0.5)), grid).exp()
    assert float(density.sum() * (side[1] - side[0]) ** 2) == pytest.approx(1.0, abs=0.02)
    assert float(density.max()) > 0.5, "and is no flat one"
    outside = float(density[(grid.abs() > 1.01).any(dim=1)].max())
    assert (outside == 0) == (coordinates == "normal")


def test_density_is_in_the_designs_own_units():
    quick, pairs = {"training": {"epochs": 2, "batch_size": 128}}, observed(800)
    large = Space.of(*(Variable(name=n, prior=Normal(mean=100.0, std=200.0)) for n in "ab"))
    targets = Targets(pairs.y)
    small = fitted(NORMAL, TWO, pairs, **quick)[2].log_density(targets, pairs.x)
    wide = Pairs(pairs.x * 100, pairs.y)
    big = fitted(large, TWO, wide, **quick)[2].log_density(targets, wide.x)
    torch.testing.assert_close(big, small - 2 * math.log(100), atol=1e-3, rtol=1e-3)


def test_what_is_known_of_a_problem_moves_the_answer():
    x = NORMAL.sample(3000, generator(5))
    begin = torch.rand(3000, generator=generator(6), dtype=torch.float64) * 4
    pairs = Pairs(x, x[:, :1] + begin[:, None], {"begin": begin})
    model = fitted(NORMAL, ONE, pairs)[2]
    context = {"begin": torch.tensor([0.5, 3.5], dtype=torch.float64)}
    found = model.propose(Targets(torch.full((2, 1), 3.0), context), points(2, 500)).x[..., 0]
    torch.testing.assert_close(found.mean(1), torch.tensor([2.5, -0.5]).double(), atol=0.15, rtol=0)


def test_points_drive_the_candidates_one_by_one(example):
    targets, own = asked({"u": 1.0}, {"v": 0.0}), points(2, 6)
    x = example[2].propose(targets, own).x
    moved = own.clone()
    moved[:, 2] = 0.5
    other = example[2].propose(targets, moved).x
    changed = (x != other).any(dim=2)
    assert changed[:, 2].all() and not changed[:, [0, 1, 3, 4, 5]].any()


def test_categories_have_no_density_and_are_proposed():
    space = Space.of(
        *SQUARE.variables, Variable(name="c", prior=Categorical(categories=("p", "q", "r")))
    )
    x = space.sample(900, generator(7))
    pairs = Pairs(x, x[:, :1] + 3 * x[:, 2:])
    model = fitted(space, ONE, pairs)[2]
    assert model.log_density(Targets(pairs.y), x) is None
    wanted = torch.tensor([[0.0], [3.0], [6.0]], dtype=torch.float64)
    found = model.propose(Targets(wanted), points(3, 60, model.point_dim)).x
    assert bool(space.contains(found.flatten(0, 1)).all())
    right = found[..., 2] == torch.tensor([[0.0], [1.0], [2.0]])
    assert float(right.double().mean()) > 0.9


def test_pairs_without_any_response_are_refused():
    y = torch.rand(10, 2, generator=generator(0))
    y[8:] = torch.nan  # those to validate with
    for unknown in (y, torch.full_like(y, torch.nan)):
        with pytest.raises(DataError, match="no pair, to train on or to validate with"):
            fitted(NORMAL, TWO, Pairs(observed(10).x, unknown))


def test_restarts_are_trained_together():
    settings = {"training": {"epochs": 2, "batch_size": 128, "restarts": 3}, "masked": 0.3}
    model = fitted(NORMAL, TWO, observed(600), **settings)[2]
    assert bool(model.propose(Targets(torch.zeros(1, 2)), points(1, 4)).x.isfinite().all())


@pytest.mark.parametrize("task", ["", "sine-wave", "robotic-arm", "ballistics", "architecture"])
def test_presets_resolve_for_each_task(task):
    quick, default, paper = (
        FlowMatchingConfig.resolve({}, preset=preset, task=task)
        for preset in ("quick", "default", "paper")
    )
    assert quick.training.epochs < default.training.epochs < paper.training.epochs
    assert (paper.time_power, paper.network.design_waves, paper.masked) == (1.0, 0, 0.0)
