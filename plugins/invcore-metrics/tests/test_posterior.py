"""The posterior metrics against mathematics: naive loops, known accuracies, known posteriors."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from invcore_metrics.c2st import C2st, C2stConfig
from invcore_metrics.classifier import network_accuracy
from invcore_metrics.mmd import Mmd, MmdConfig, squared_mmd
from invcore_metrics.neighbours import neighbour_accuracy
from invcore_metrics.posterior import PosteriorConfig, posterior_samples
from invcore_metrics.prior_scale import design_scale
from invcore_metrics.reference import ReferenceConfig, reference

from invcore import Normal, Space, Uniform, Variable
from invcore.plugin import BudgetError, Cache, Config, Task, UnfitError, generator
from invcore.runs.evaluation import bounded
from invcore.testing import evaluation

SMALL = {"draws": 200_000, "count": 200, "tolerance": 0.05, "least": 20}


class Sum(Task[Config]):
    """y = x1 + x2 of two standard normals: given y, x1 is normal around y / 2, variance 1/2."""

    free_calls = True
    designs = Space.of(*(Variable(name=n, prior=Normal(mean=0.0, std=1.0)) for n in "ab"))
    responses = Space.of(Variable(name="y"))

    def simulate(self, x, context=None):
        return x.sum(dim=1, keepdim=True)


def of(task, targets, candidates, **more):
    """An evaluation; its candidates are (B, K, Dx)."""
    again = task.simulate(candidates.flatten(0, 1)).unflatten(0, candidates.shape[:2])
    return evaluation(targets, again, candidates, designs=task.designs, task=task, **more)


def exact(targets, count, seed):
    """Draws of the posterior of ``Sum``."""
    noise = torch.randn(len(targets), count, generator=generator(seed), dtype=torch.float64)
    first = 0.5 * targets + noise / math.sqrt(2)
    return torch.stack((first, targets - first), dim=2)


def normals(problems, count, dim, seed, shift=0.0):
    shape = (problems, count, dim)
    x = torch.randn(shape, generator=generator(seed, "normals"), dtype=torch.float64)
    return x + shift * torch.eye(dim, dtype=x.dtype)[0]


# The reference


def test_the_reference_is_the_posterior():
    targets = torch.tensor([[0.0], [1.0], [-2.0]], dtype=torch.float64)
    seen = of(Sum(), targets, torch.zeros(3, 1, 2, dtype=torch.float64))
    found = reference(seen, ReferenceConfig(**SMALL))
    assert found.targets.tolist() == [0, 1, 2]
    assert found.samples.shape == (3, 200, 2)
    near = (found.samples.sum(dim=2) - targets).abs()
    assert near.max() <= 0.05 * math.sqrt(2) * 1.05
    first = found.samples[..., 0]
    # Five standard errors of a mean, and of a variance, of 200 draws.
    assert (first.mean(dim=1) - targets[:, 0] / 2).abs().max() < 5 * math.sqrt(0.5 / 200)
    assert (first.var(dim=1) - 0.5).abs().max() < 5 * 0.5 * math.sqrt(2 / 200)


def test_the_nearest_are_kept():
    """Two targets of one response have the same samples, and fewer are the best of more."""
    targets = torch.tensor([[0.5], [0.5]], dtype=torch.float64)
    seen = of(Sum(), targets, torch.zeros(2, 1, 2, dtype=torch.float64))
    many = reference(seen, ReferenceConfig(**SMALL)).samples
    few = reference(seen, ReferenceConfig(**SMALL | {"count": 30})).samples
    assert torch.equal(many[0], many[1])
    assert torch.equal(many[:, :30], few)
    away = (many.sum(dim=2) - 0.5).abs()
    assert torch.equal(away.sort(dim=1).values, away)
    assert away.max() < 0.02  # of a tolerance of 0.07: there were more than enough


def test_a_target_with_too_few_is_left_out():
    targets = torch.tensor([[0.0], [30.0], [0.1]], dtype=torch.float64)
    seen = of(Sum(), targets, torch.zeros(3, 1, 2, dtype=torch.float64))
    assert reference(seen, ReferenceConfig(**SMALL)).targets.tolist() == [0, 2]
    alone = replace(seen, targets=targets[1:2])
    with pytest.raises(UnfitError, match="no target has"):
        reference(alone, ReferenceConfig(**SMALL))


def test_no_reference_where_there_is_nothing_to_draw_from():
    seen = of(Sum(), torch.zeros(1, 1), torch.zeros(1, 2, 2))
    assert reference(replace(seen, task=None), ReferenceConfig(**SMALL)) is None
    table = Sum()
    table.designs = Space.of(Variable(name="a"), Variable(name="b"))
    assert reference(replace(seen, task=table), ReferenceConfig(**SMALL)) is None


def test_calls_that_are_not_free_are_bounded():
    """A tenth of the calls that judge the run, whatever metrics ask for, all of them together."""

    class Costly(Sum):
        free_calls, rows = False, 0

        def simulate(self, x, context=None):
            Costly.rows += len(x)
            return super().simulate(x)

    seen = of(Costly(), torch.zeros(20, 1), torch.zeros(20, 4, 2).double(), variance=torch.ones(1))
    few, Costly.rows = replace(seen, **bounded(Costly(), 20 * 4)), 0
    with pytest.raises(UnfitError, match="the 8 calls that metrics may make are too few"):
        reference(few, ReferenceConfig(**SMALL))
    assert Costly.rows == 0, "nothing is spent in vain"
    more = replace(seen, **bounded(Costly(), 20_000))
    assert len(reference(more, ReferenceConfig(**SMALL)).targets) == 20
    assert Costly.rows == 2000 and more.calls_left() == 0
    with pytest.raises(BudgetError):
        more.task.pairs(1, generator(0))
    assert bounded(Sum(), 10)["calls_left"]() is None


def test_a_hopeless_task_is_given_up_soon():
    class Wide(Sum):
        rows = 0
        responses = Space.of(*(Variable(name=f"y{i}") for i in range(60)))

        def simulate(self, x, context=None):
            self.rows += len(x)
            return torch.randn(len(x), 60, generator=generator(len(x)), dtype=torch.float64)

    task = Wide()
    seen = of(task, torch.zeros(1, 60, dtype=torch.float64), torch.zeros(1, 2, 2).double())
    with pytest.raises(UnfitError, match="too few to come near"):
        reference(seen, ReferenceConfig(draws=10**7))
    assert task.rows < 60_000


def test_the_reference_is_kept(tmp_path):
    class Counting(Sum):
        rows = 0

        def simulate(self, x, context=None):
            self.rows += len(x)
            return super().simulate(x)

    task = Counting()
    seen = of(task, torch.zeros(1, 1), torch.zeros(1, 2, 2), cache=Cache(tmp_path))
    first = reference(seen, ReferenceConfig(**SMALL)).samples
    spent, task.rows = task.rows, 0
    assert torch.equal(reference(seen, ReferenceConfig(**SMALL)).samples, first)
    assert task.rows < 2_000 < spent  # the simulator is only asked who it is
    others = (
        (replace(seen, targets=seen.targets + 0.1), {}),
        (replace(seen, seed=1), {}),
        (seen, {"count": 100}),
        (seen, {"tolerance": 0.06}),
        (seen, {"draws": 190_000}),
    )
    for number, (other, settings) in enumerate(others, 2):
        reference(other, ReferenceConfig(**SMALL | settings))
        assert len(list(tmp_path.iterdir())) == number


def test_another_simulator_is_another_reference(tmp_path):
    class Scaled(Sum):
        factor = 1.0

        def simulate(self, x, context=None):
            return self.factor * super().simulate(x)

    task = Scaled()
    seen = of(task, torch.ones(1, 1), torch.zeros(1, 2, 2), cache=Cache(tmp_path))
    before = reference(seen, ReferenceConfig(**SMALL)).samples
    task.factor = 2.0
    after = reference(seen, ReferenceConfig(**SMALL)).samples
    assert abs(before.sum(dim=2).mean() - 1.0) < 0.03
    assert abs(after.sum(dim=2).mean() - 0.5) < 0.03


def test_all_finite_designs_are_compared_in_the_priors_unit():
    space = Space.of(Variable(name="a", prior=Uniform(low=0.0, high=12.0)))
    task = Sum()
    task.designs = space
    x = torch.tensor([[[3.0], [math.nan], [1.0], [2.0]]], dtype=torch.float64)
    seen = of(task, torch.tensor([[6.0]]), x)
    assert design_scale(seen).item() == pytest.approx(math.sqrt(12.0), rel=1e-6)
    settings = SMALL | {"least": 2}
    own = posterior_samples(seen, PosteriorConfig(**settings, scale="none")).candidates
    assert own[0, :3, 0].tolist() == [1.0, 2.0, 3.0] and own[0, 3].isnan().all()
    scaled = posterior_samples(seen, PosteriorConfig(**settings)).candidates
    assert scaled[0, :3, 0].tolist() == pytest.approx([i / math.sqrt(12) for i in (1, 2, 3)])
    few = posterior_samples(seen, PosteriorConfig(**settings, most=2)).candidates
    assert few.shape == (1, 2, 1)


# MMD


def naive_mmd(a, b, widths):
    def kernel(u, v):
        d2 = float((u - v).square().sum())
        return sum(w**2 / (w**2 + d2) for w in widths)

    def within(x):
        pairs = [(i, j) for i in range(len(x)) for j in range(len(x)) if i != j]
        return sum(kernel(x[i], x[j]) for i, j in pairs) / len(pairs)

    across = sum(kernel(u, v) for u in a for v in b) / (len(a) * len(b))
    return within(a) + within(b) - 2 * across


def test_mmd_is_the_double_loop():
    a, b = normals(3, 9, 2, 0), normals(3, 6, 2, 1, shift=0.5)
    a[1, 4:6], b[2, 5] = torch.nan, torch.nan
    found = squared_mmd(a, b, (0.05, 0.2, 0.9))
    for i in range(3):
        clean = [x[i][~x[i].isnan().any(dim=1)] for x in (a, b)]
        assert found[i].item() == pytest.approx(naive_mmd(*clean, (0.05, 0.2, 0.9)), abs=1e-12)
    assert squared_mmd(a[:, :1], b, (1.0,)).isnan().all()


def test_mmd_is_unbiased():
    """Its mean over samples of one distribution is 0, and that over shifted ones is not."""
    a, b = normals(4000, 8, 2, 2), normals(4000, 8, 2, 3)
    same = squared_mmd(a, b, (0.05, 0.2, 0.9))
    assert abs(same.mean()) < 4 * same.std() / math.sqrt(len(same))
    assert (same < 0).any()
    moved = squared_mmd(normals(4000, 8, 2, 4, shift=1.0), b, (0.05, 0.2, 0.9))
    assert moved.mean() > 10 * moved.std() / math.sqrt(len(moved))


def test_mmd_of_a_posterior_sampler_and_of_others():
    targets = torch.linspace(-1, 1, 10, dtype=torch.float64)[:, None]
    good = of(Sum(), targets, exact(targets, 150, 0))
    point = of(Sum(), targets, exact(targets, 1, 1).expand(-1, 150, -1).clone())
    prior = of(Sum(), targets, normals(10, 150, 2, 5))
    mmd = Mmd(MmdConfig(**SMALL))
    values = [mmd.measure(seen)[0] for seen in (good, point, prior)]
    assert values[0].ci_low < 0.02 and abs(values[0].value) < 0.02
    assert 2.0 < values[1].value < 3.0  # of three kernels: as the published figures of one answer
    assert 0.1 < values[2].value < values[1].value


def test_no_mmd_of_one_candidate():
    targets = torch.zeros(2, 1, dtype=torch.float64)
    assert Mmd(MmdConfig(**SMALL)).measure(of(Sum(), targets, exact(targets, 1, 0))) == []


# C2ST

CLASSIFIERS = {
    "network": lambda a, b: network_accuracy(a, b, generator(0, "classifier")),
    "neighbours": lambda a, b: neighbour_accuracy(a, b),
    "more neighbours": lambda a, b: neighbour_accuracy(a, b, 25),
}
# How far each may stay below the best possible accuracy; a large sample would reach it.
LOSS = {"network": 0.03, "neighbours": 0.06, "more neighbours": 0.03}


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0])
def test_accuracy_of_shifted_normals(name, shift):
    """The best classifier of N(0, 1) and N(shift, 1) is right with Φ(shift / 2)."""
    best = 0.5 * (1 + math.erf(shift / 2 / math.sqrt(2)))
    a, b = normals(40, 200, 2, 6, shift=shift), normals(40, 200, 2, 7)
    found = CLASSIFIERS[name](a, b)
    noise = 4 * found.std() / math.sqrt(len(found))
    lost = LOSS[name] if shift else 0.01
    assert best - lost - noise < found.mean() < best + noise + (0.0 if shift else 0.01)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_accuracy_needs_no_equal_sizes(name):
    """Both samples weigh the same, so a classifier gains nothing by always naming the larger."""
    a, b = normals(40, 400, 2, 8), normals(40, 100, 2, 9)
    a[:, 380:] = torch.nan
    assert abs(CLASSIFIERS[name](a, b).mean() - 0.5) < 0.03


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_accuracy_of_equal_points_and_of_too_few(name):
    same = torch.zeros(1, 40, 2, dtype=torch.float64)
    assert CLASSIFIERS[name](same, same).item() == 0.5
    few = same.clone()
    few[:, 1:] = torch.nan
    assert CLASSIFIERS[name](few, same).isnan().all()


def test_neighbours_by_hand():
    """One dimension, three neighbours: only the stray point of each sample is taken wrongly."""
    a = torch.tensor([[[0.0], [0.1], [0.2], [0.3], [9.05]]])
    b = torch.tensor([[[9.0], [9.1], [9.2], [9.3], [0.05]]])
    assert neighbour_accuracy(a, b, 3).item() == pytest.approx(0.8)


def test_a_problem_does_not_see_the_others():
    a, b = normals(6, 80, 2, 10, shift=0.7), normals(6, 80, 2, 11)
    for accuracy in CLASSIFIERS.values():
        together = accuracy(a, b)
        assert torch.allclose(accuracy(a[3:5], b[3:5]), together[3:5], atol=0.02)


def test_neighbours_see_thin_sets():
    """A curve and its surroundings: chance is right for half of them."""
    angle = 20 * torch.rand(8, 200, generator=generator(12), dtype=torch.float64)
    spiral = torch.stack((angle * angle.cos(), angle * angle.sin()), dim=2)
    cloud = 40 * torch.rand(8, 200, 2, generator=generator(13), dtype=torch.float64) - 20
    cloud = torch.where((cloud.norm(dim=2) < 20)[..., None], cloud, cloud / 2)
    assert neighbour_accuracy(cloud, spiral).mean() > 0.65


def test_c2st_of_a_posterior_sampler_and_of_others():
    targets = torch.linspace(-1, 1, 10, dtype=torch.float64)[:, None]
    config = C2stConfig(**SMALL)

    def measured(candidates):
        return [e.value for e in C2st(config).measure(of(Sum(), targets, candidates))]

    assert measured(exact(targets, 200, 0)) == pytest.approx([0.5, 0.5], abs=0.05)
    assert min(measured(exact(targets, 200, 1) + 3.0)) > 0.9
    assert min(measured(exact(targets, 1, 2).expand(-1, 200, -1).clone())) > 0.9
